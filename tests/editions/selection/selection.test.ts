import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoryCandidate } from '../../../src/editions/selection/ranking.ts';
import {
  countStories,
  leadingStories,
  type SelectionRules,
  selectStories,
} from '../../../src/editions/selection/selection.ts';
import { editionWindow } from '../../../src/editions/selection/window.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { anyBlocks, anyCandidates, story, UNTIL } from './candidates.ts';

const rules: SelectionRules = {
  window: editionWindow(UNTIL, null, { newsHours: 24 }),
  blocks: { news: 8, analysis: 4, roundup: 6, latest: 8 },
  leadKickers: ['Cover Story', 'Exclusive'],
  sections: ['business-tech', 'world'],
};

function ids(stories: StoryCandidate[]): string[] {
  return stories.map((one) => one.id);
}

describe('editionWindow', () => {
  it('begins 48 hours before the cut-off of the first edition', () => {
    expect(editionWindow(UNTIL, null, { newsHours: 24 })).toEqual({
      from: UNTIL - 48 * HOUR,
      unseenFrom: UNTIL - 48 * HOUR,
      until: UNTIL,
      newsFrom: UNTIL - 24 * HOUR,
      windowHours: 48,
      newsHours: 24,
    });
  });

  it('begins a week before the cut-off of a weekly edition, or at the last cut-off in a week of 169 hours', () => {
    const weekly = { newsHours: 168 };
    const from = UNTIL - 168 * HOUR;
    expect(editionWindow(UNTIL, null, weekly)).toMatchObject({ from, unseenFrom: from, newsFrom: from });
    const last = UNTIL - 169 * HOUR;
    expect(editionWindow(UNTIL, last, weekly)).toMatchObject({ from: last, unseenFrom: last - DAY, newsFrom: from });
  });

  it('begins on Monday at the cut-off of Friday, and a day earlier for stories stored since', () => {
    expect(editionWindow(UNTIL, UNTIL - 3 * DAY, { newsHours: 24 })).toMatchObject({
      from: UNTIL - 3 * DAY,
      unseenFrom: UNTIL - 4 * DAY,
    });
  });
});

describe('the news of a week', () => {
  const weekly = {
    ...rules,
    window: editionWindow(UNTIL, null, { newsHours: 168 }),
    blocks: { ...rules.blocks, news: 9, analysis: 2 },
  };
  // Ten stories on each of seven days.
  const week = Array.from({ length: 70 }, (_, n) => story(`s${n}`, 1 + 2.4 * n));
  const daysOf = (stories: StoryCandidate[]): number[] =>
    stories.map(({ publishedAt }) => Math.ceil((UNTIL - publishedAt) / DAY));
  const lead = story('lead', 2, { kicker: 'Cover Story' });

  it('are of each day in turn where the block cannot hold all, and newest first', () => {
    const { news } = selectStories([lead, ...week], weekly);
    expect(daysOf(news)).toEqual([1, 1, 2, 2, 3, 4, 5, 6, 7]);
    expect(ids(selectStories([lead, ...week], { ...rules, blocks: weekly.blocks }).news)).toEqual(
      ids(week.slice(0, 9)),
    );
  });

  it('are those with kickers first of a day, and pinned stories of any', () => {
    const exclusive = story('exclusive', 5 * 24 - 1, { kicker: 'Exclusive' });
    const pinned = [story('pinned-1', 160, { pinned: true }), story('pinned-2', 161, { pinned: true })];
    const top = story('top', 3, { pinned: true });
    const { lead: first, news } = selectStories([...week, exclusive, ...pinned, top], weekly);
    expect(first?.id).toBe('top');
    expect(ids(news)).toEqual(expect.arrayContaining(['exclusive', 'pinned-1', 'pinned-2']));
    expect(daysOf(news.filter(({ pinned: isPinned }) => !isPinned))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('leave analyses of several days, too', () => {
    const analyses = [1, 2, 3, 30].map((hours) => story(`a${hours}`, hours, { kind: 'analysis' }));
    expect(ids(selectStories([lead, ...analyses], weekly).analysis)).toEqual(['a1', 'a30']);
  });
});

describe('the lead', () => {
  const lead = (...candidates: StoryCandidate[]): string | undefined => selectStories(candidates, rules).lead?.id;

  it('is the newest pinned story, regardless of kickers', () => {
    expect(
      lead(
        story('cover', 1, { kicker: 'Cover Story' }),
        story('old-pinned', 90, { pinned: true }),
        story('pinned', 60, { pinned: true }),
      ),
    ).toBe('pinned');
  });

  it('has the most important kicker, regardless of section and age', () => {
    expect(
      lead(
        story('new', 1, { section: 'business-tech' }),
        story('exclusive', 2, { kicker: 'Exclusive', section: 'business-tech' }),
        story('cover', 30, { kicker: 'Cover Story', section: 'world' }),
      ),
    ).toBe('cover');
  });

  it('is in the most important section, regardless of age; stories without section come last', () => {
    expect(lead(story('none', 1), story('world', 2, { section: 'world' }))).toBe('world');
    expect(lead(story('world', 2, { section: 'world' }), story('tech', 9, { section: 'business-tech' }))).toBe('tech');
  });

  it('is otherwise the newest story; of the same instant, the one with the greater id', () => {
    expect(lead(story('a', 3), story('b', 2))).toBe('b');
    expect(lead(story('a', 2), story('b', 2))).toBe('b');
  });

  it('is never a roundup item; a pinned one is first in its block', () => {
    const plan = selectStories(
      [
        story('new', 1, { kind: 'roundup-item' }),
        story('pinned', 5, { kind: 'roundup-item', pinned: true }),
        story('brief', 40),
      ],
      rules,
    );
    expect(plan.lead?.id).toBe('brief');
    expect(plan.roundup.map((group) => group.first.id)).toEqual(['pinned', 'new']);
  });

  it('is absent if there are only roundup items', () => {
    const plan = selectStories([story('item', 1, { kind: 'roundup-item' })], rules);
    expect(plan.lead).toBeNull();
    expect(countStories(plan)).toBe(1);
  });
});

describe('the blocks', () => {
  const cover = story('lead', 1, { kicker: 'Cover Story' });

  it('show as news the stories of the last 24 hours, to the millisecond', () => {
    const { news, latest } = selectStories(
      [
        cover,
        story('edge', 24),
        { ...story('before', 24), publishedAt: UNTIL - DAY - 1 },
        { ...story('last', 0), publishedAt: UNTIL - 1 },
        story('feature', 2, { kind: 'feature' }),
      ],
      rules,
    );
    expect(ids(news)).toEqual(['last', 'feature', 'edge']);
    expect(ids(latest)).toEqual(['before']);
  });

  it('show the headlines of stories that do not fit into their own block, newest first', () => {
    const analyses = [1, 2, 3, 4, 5, 6].map((hour) => story(`analysis-${hour}`, hour, { kind: 'analysis' }));
    const { analysis, latest } = selectStories([cover, ...analyses], rules);
    expect(ids(analysis)).toEqual(['analysis-1', 'analysis-2', 'analysis-3', 'analysis-4']);
    expect(ids(latest)).toEqual(['analysis-5', 'analysis-6']);
  });

  it('include a pinned story, and show it in chronological order', () => {
    const briefs = Array.from({ length: 9 }, (_, n) => story(`brief-${n}`, n + 2));
    const { news } = selectStories(
      [story('lead', 1, { pinned: true }), ...briefs, story('pinned', 20, { pinned: true })],
      rules,
    );
    expect(ids(news)).toEqual([...ids(briefs.slice(0, 7)), 'pinned']);
  });

  it('show and count an event once: the first report, then credits of the others by time', () => {
    const of = (id: string, hours: number): StoryCandidate =>
      story(id, hours, { kind: 'roundup-item', eventKey: 'merger' });
    const plan = selectStories([of('third', 1), of('first', 9), of('second', 5)], rules);
    const { roundup } = plan;
    expect(countStories(plan)).toBe(1);
    expect(roundup).toHaveLength(1);
    expect(roundup[0]?.first.id).toBe('first');
    expect(ids(roundup[0]?.also ?? [])).toEqual(['second', 'third']);
  });

  it('begin the roundup with the event that most outlets reported, then the newest', () => {
    const { roundup } = selectStories(
      [
        story('new', 1, { kind: 'roundup-item' }),
        story('newer', 0.5, { kind: 'roundup-item' }),
        story('a', 20, { kind: 'roundup-item', eventKey: 'e' }),
        story('b', 19, { kind: 'roundup-item', eventKey: 'e' }),
      ],
      rules,
    );
    expect(roundup.map((group) => group.first.id)).toEqual(['a', 'newer', 'new']);
  });

  it('count each outlet of an event once, whether an item names it or has it', () => {
    const item = (id: string, hours: number, outlets: string[], eventKey: string | null = null) =>
      story(id, hours, { kind: 'roundup-item', outlets, eventKey });
    const { roundup } = selectStories(
      [
        item('of-one', 1, ['a']),
        item('of-three', 9, ['a', 'b', 'c']),
        // Two items, and four outlets.
        item('of-four', 8, ['a', 'b'], 'e'),
        item('of-four-too', 7, ['b', 'c', 'd'], 'e'),
        // Two reports of one outlet.
        item('of-one-twice', 6, ['a'], 'f'),
        item('of-one-again', 5, ['a'], 'f'),
      ],
      rules,
    );
    expect(roundup.map((group) => [group.first.id, group.outletCount])).toEqual([
      ['of-four', 4],
      ['of-three', 3],
      ['of-one', 1],
      ['of-one-twice', 1],
    ]);
  });
});

describe('leadingStories', () => {
  it('are the lead, then news and analysis by importance, then the latest', () => {
    const plan = selectStories(
      [
        story('lead', 1, { kicker: 'Cover Story' }),
        story('brief', 2),
        story('exclusive', 20, { kicker: 'Exclusive' }),
        story('old', 30, { kicker: 'Cover Story' }),
      ],
      { ...rules, blocks: { ...rules.blocks, news: 2 } },
    );
    expect(ids(leadingStories(plan, rules))).toEqual(['lead', 'exclusive', 'brief', 'old']);
  });

  it('are the lead and the roundup items, before the latest, if there are neither news nor analysis', () => {
    const plan = selectStories([story('lead', 1), story('old', 30), story('i', 2, { kind: 'roundup-item' })], rules);
    expect(ids(leadingStories(plan, rules))).toEqual(['lead', 'i', 'old']);
  });
});

describe('a selection', () => {
  it('respects the configured numbers, and is in chronological order in each block', () => {
    fc.assert(
      fc.property(anyCandidates, anyBlocks, (list, most) => {
        const plan = selectStories(list, { ...rules, blocks: most });
        for (const block of ['news', 'analysis', 'latest'] as const) {
          expect(plan[block].length).toBeLessThanOrEqual(most[block]);
          const times = plan[block].map((one) => one.publishedAt);
          expect(times).toEqual(times.toSorted((a, b) => b - a));
        }
        expect(plan.roundup.length).toBeLessThanOrEqual(most.roundup);
        expect(plan.news.every((one) => one.publishedAt >= UNTIL - DAY && one.kind !== 'analysis')).toBe(true);
      }),
    );
  });

  it('omits no story while its own block is not full', () => {
    fc.assert(
      fc.property(anyCandidates, anyBlocks, (list, most) => {
        const plan = selectStories(list, { ...rules, blocks: most });
        const own = plan.didNotFit.filter((one) => one.kind !== 'roundup-item');
        if (own.length > 0) expect(plan.latest).toHaveLength(most.latest);
        if (own.some((one) => one.kind === 'analysis')) expect(plan.analysis).toHaveLength(most.analysis);
        if (own.length < plan.didNotFit.length) expect(plan.roundup).toHaveLength(most.roundup);
      }),
    );
  });
});
