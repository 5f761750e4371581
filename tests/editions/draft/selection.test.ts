import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DRAFT_BLOCKS, NO_DECISIONS, type StoryDecision } from '../../../src/editions/draft/decisions.ts';
import { newestFirst, type StoryCandidate } from '../../../src/editions/selection/ranking.ts';
import {
  type Block,
  placedStories,
  type SelectionRules,
  type StoryDecisions,
  selectStories,
} from '../../../src/editions/selection/selection.ts';
import { editionWindow } from '../../../src/editions/selection/window.ts';
import { anyBlocks, anyCandidates, story, UNTIL } from '../selection/candidates.ts';

const RULES: SelectionRules = {
  window: editionWindow(UNTIL, null, { newsHours: 24 }),
  blocks: { news: 3, analysis: 2, roundup: 2, latest: 2 },
  leadKickers: ['Cover Story'],
  sections: ['world'],
};

const item = (id: string, hours: number, rest: Partial<StoryCandidate> = {}) =>
  story(id, hours, { kind: 'roundup-item', ...rest });
const placed = (block: (typeof DRAFT_BLOCKS)[number]): StoryDecision => ({ kind: 'placed', block });

/** The ids of each block that has any, and of the others. */
function select(
  stories: StoryCandidate[],
  decisions: Partial<StoryDecisions>,
  change: Partial<SelectionRules> = {},
): Partial<Record<Block | 'didNotFit' | 'arrivals', string[]>> {
  const plan = selectStories(stories, { ...RULES, ...change }, { ...NO_DECISIONS, ...decisions });
  const blocks = Map.groupBy(placedStories(plan), ({ block }) => block);
  const ids = [...blocks].map(([block, members]) => [block, members.map((one) => one.story.id)] as const);
  return {
    ...Object.fromEntries(ids),
    ...(plan.didNotFit.length === 0 ? {} : { didNotFit: plan.didNotFit.map(({ id }) => id) }),
    ...(plan.arrivals.length === 0 ? {} : { arrivals: plan.arrivals }),
  };
}

describe('the decisions of an editor', () => {
  const day = [
    story('cover', 20, { kicker: 'Cover Story' }),
    ...[1, 2, 3].map((n) => story(`n${n}`, n)),
    ...[1, 2].map((n) => story(`a${n}`, n, { kind: 'analysis' })),
    ...[1, 2].map((n) => item(`r${n}`, n)),
  ];
  const news = ['n3', 'n1', 'n2'];

  it('order a block: later stories are below it, newest first, as far as it has room, and marked', () => {
    const later = [story('n4', 0.5), story('n5', 0.4)];
    const three = { news };
    expect(select([...day, ...later], { blocks: three })).toMatchObject({ news, latest: ['n5', 'n4'] });
    expect(select([...day, ...later], { blocks: three }).arrivals).toBeUndefined();
    expect(select([...day, ...later], { blocks: { news: ['n3'] } })).toMatchObject({
      news: ['n3', 'n5', 'n4'],
      arrivals: ['n5', 'n4'],
    });
  });

  it('show a moved story beyond the limit of its block, in the place where it was put', () => {
    const decisions = { blocks: { news: ['n1', 'a1', 'n2', 'n3'] }, stories: { a1: placed('news') } };
    expect(select(day, decisions)).toMatchObject({ news: ['n1', 'a1', 'n2'], latest: ['n3'], analysis: ['a2'] });
    const two = { blocks: { news: ['a1', 'a2', 'n1', 'n2'] }, stories: { a1: placed('news'), a2: placed('news') } };
    expect(select(day, two, { blocks: { ...RULES.blocks, news: 1 } })).toMatchObject({ news: ['a1', 'a2'] });
  });

  it('show a pinned story beyond the limit of its block, besides those that are pinned themselves', () => {
    const stories = [
      ...day,
      story('old', 90),
      story('pinned', 1.5, { pinned: true }),
      story('lead', 0, { pinned: true }),
    ];
    const none = { blocks: { news: 1, analysis: 0, roundup: 0, latest: 0 } };
    expect(select(stories, { stories: { n3: { kind: 'pinned' }, old: { kind: 'pinned' } } }, none)).toMatchObject({
      lead: ['lead'],
      news: ['n3'],
      latest: ['old'],
    });
  });

  it('choose the lead; the former one goes where it suits', () => {
    expect(select(day, { blocks: { lead: ['n2'] }, stories: { n2: placed('lead') } })).toMatchObject({
      lead: ['n2'],
      news: ['n1', 'n3', 'cover'],
    });
    const former = { cover: placed('lead'), n2: placed('lead') };
    expect(select(day, { blocks: { lead: ['n2'] }, stories: former })).toMatchObject({ lead: ['n2'] });
    expect(select(day, { blocks: { lead: ['cover'] }, stories: { cover: placed('latest') } })).toMatchObject({
      lead: ['n1'],
      latest: ['cover'],
    });
  });

  it('show an own story in the roundup as an item by itself, even if outlets report its event', () => {
    const stories = [
      ...day,
      story('own', 9, { eventKey: 'e' }),
      item('x', 8, { eventKey: 'e' }),
      item('y', 7, { eventKey: 'e' }),
    ];
    const decisions = { blocks: { roundup: ['r1', 'own', 'r2'] }, stories: { own: placed('roundup') } };
    expect(select(stories, decisions, { blocks: { ...RULES.blocks, roundup: 9 } })).toMatchObject({
      roundup: ['r1', 'own', 'r2', 'x'],
      also: ['y'],
      arrivals: ['x', 'y'],
    });
  });

  it('keep an event in its place when another outlet’s report is the first, or an earlier one arrives', () => {
    const event = (id: string, hours: number) => item(id, hours, { eventKey: 'e' });
    const blocks = { roundup: ['x', 'r1'] };
    const decisions = { blocks, stories: { x: placed('roundup') } };
    expect(select([...day, event('x', 5), event('early', 6)], decisions)).toMatchObject({ roundup: ['early', 'r1'] });
    const gone = { blocks, stories: { x: { kind: 'dropped' as const } } };
    expect(select([...day, event('x', 5), event('y', 4)], gone, { blocks: { ...RULES.blocks, roundup: 3 } })).toEqual(
      expect.objectContaining({ roundup: ['r1', 'r2', 'y'], arrivals: ['r2', 'y'] }),
    );
  });

  it('give way to the size limit of the email', () => {
    const limits = { blocks: { news: 1, analysis: 0, roundup: 0, latest: 0 }, isSizeLimited: true };
    const stories = { n2: { kind: 'pinned' as const }, a1: placed('news') };
    expect(select(day, { blocks: { news: ['n3', 'a1', 'n1'] }, stories }, limits)).toMatchObject({
      lead: ['n2'],
      news: ['n3'],
    });
  });

  it('may concern stories with the names of properties of every object', () => {
    const odd = ['__proto__', 'constructor'].map((id, n) => story(id, n + 1));
    expect(select([...day, ...odd], { blocks: { news: ['__proto__'] } }).news?.[0]).toBe('__proto__');
    const stories = Object.fromEntries(odd.map(({ id }) => [id, { kind: 'dropped' as const }]));
    expect(select([...day, ...odd], { stories })).toEqual(select(day, {}));
  });
});

describe('any decisions', () => {
  const id = fc.nat(42).map((n) => `s${n}`);
  const block = fc.constantFrom(...DRAFT_BLOCKS);
  const decision: fc.Arbitrary<StoryDecision> = fc.oneof(
    fc.constantFrom({ kind: 'dropped' } as const, { kind: 'pinned' } as const),
    block.map(placed),
  );
  const orders = fc.dictionary(block, fc.uniqueArray(id, { maxLength: 12 }), { maxKeys: 5, noNullPrototype: true });
  const decisions: fc.Arbitrary<StoryDecisions> = fc.record({
    blocks: orders as fc.Arbitrary<StoryDecisions['blocks']>,
    stories: fc.dictionary(id, decision, { maxKeys: 12, noNullPrototype: true }),
  });
  const rules = fc.tuple(anyBlocks, fc.boolean()).map(([limits, isSizeLimited]): SelectionRules => {
    return { ...RULES, blocks: limits, isSizeLimited };
  });

  it('put every candidate into exactly one block, or among those that were dropped or did not fit', () => {
    fc.assert(
      fc.property(anyCandidates, rules, decisions, (list, how, decided) => {
        const plan = selectStories(list, how, decided);
        const shown = placedStories(plan).map((one) => one.story.id);
        const all = [...shown, ...[...plan.didNotFit, ...plan.dropped].map((one) => one.id)];
        expect(all.toSorted()).toEqual(list.map((one) => one.id).toSorted());
        const isDropped = (one: StoryCandidate) => decided.stories[one.id]?.kind === 'dropped';
        expect(plan.dropped).toEqual(list.filter(isDropped).sort(newestFirst));
        expect(shown).toEqual(expect.arrayContaining(plan.arrivals));
        expect(new Set(plan.arrivals).size).toBe(plan.arrivals.length);
      }),
    );
  });

  it('leave no roundup item outside of the roundup, and a lead if there is any other story', () => {
    fc.assert(
      fc.property(anyCandidates, rules, decisions, (list, how, decided) => {
        const plan = selectStories(list, how, decided);
        for (const { block: where, story: one } of placedStories(plan)) {
          if (one.kind === 'roundup-item') expect(['roundup', 'also']).toContain(where);
          if (where === 'also') expect(one.kind).toBe('roundup-item');
        }
        const isOwn = (one: StoryCandidate) =>
          one.kind !== 'roundup-item' && decided.stories[one.id]?.kind !== 'dropped';
        expect(plan.lead !== null).toBe(list.some(isOwn));
      }),
    );
  });

  it('show every placed story in its block, and every pinned one, unless the email would be too large', () => {
    fc.assert(
      fc.property(anyCandidates, rules, decisions, (list, how, decided) => {
        if (how.isSizeLimited) return;
        const plan = selectStories(list, how, decided);
        const where = new Map(placedStories(plan).map((one) => [one.story.id, one.block]));
        for (const one of list) {
          const made = decided.stories[one.id];
          if (made?.kind === 'pinned') expect(where.has(one.id)).toBe(true);
          if (made?.kind !== 'placed' || one.id === plan.lead?.id) continue;
          if (one.kind === 'roundup-item') {
            if (made.block === 'roundup') expect(['roundup', 'also']).toContain(where.get(one.id));
          } else if (made.block !== 'lead') expect(where.get(one.id)).toBe(made.block);
        }
      }),
    );
  });

  it('keep the order of a block, with later stories below, and leave other blocks in automatic order', () => {
    fc.assert(
      fc.property(anyCandidates, rules, decisions, (list, how, decided) => {
        const plan = selectStories(list, how, decided);
        const arrivals = new Set(plan.arrivals);
        for (const name of ['news', 'analysis', 'latest'] as const) {
          const order = decided.blocks[name];
          const hasPlaced = plan[name].some((one) => decided.stories[one.id]?.kind === 'placed');
          if (order === undefined) {
            if (!hasPlaced) expect(plan[name]).toEqual(plan[name].toSorted(newestFirst));
            expect(plan[name].filter((one) => arrivals.has(one.id))).toEqual([]);
            continue;
          }
          const shown = plan[name].map((one) => one.id);
          const listed = shown.filter((one) => order.includes(one));
          expect(listed).toEqual(order.filter((one) => shown.includes(one)));
          expect(shown.slice(0, listed.length)).toEqual(listed);
          const below = plan[name].slice(listed.length);
          for (const one of below)
            expect(arrivals.has(one.id) || decided.stories[one.id]?.kind === 'placed').toBe(true);
          const arrived = below.filter((one) => arrivals.has(one.id));
          expect(arrived).toEqual(arrived.toSorted(newestFirst));
        }
      }),
    );
  });

  it('about roundup items leave the other blocks as they are, and the other way round', () => {
    fc.assert(
      fc.property(anyCandidates, rules, decisions, (list, how, decided) => {
        const isItem = (one: string) => list.find((c) => c.id === one)?.kind === 'roundup-item';
        const entries = Object.entries(decided.stories);
        const automatic = selectStories(list, how);
        const ofItems = selectStories(list, how, {
          blocks: decided.blocks.roundup === undefined ? {} : { roundup: decided.blocks.roundup },
          stories: Object.fromEntries(entries.filter(([one]) => isItem(one))),
        });
        const { lead, news, analysis, latest } = ofItems;
        expect({ lead, news, analysis, latest }).toEqual({
          ...{ lead: automatic.lead, news: automatic.news, analysis: automatic.analysis, latest: automatic.latest },
        });
        const { roundup: _, ...others } = decided.blocks;
        const isElsewhere = (made: StoryDecision) => made.kind !== 'placed' || made.block !== 'roundup';
        const ofOthers = selectStories(list, how, {
          blocks: others,
          stories: Object.fromEntries(entries.filter(([one, made]) => !isItem(one) && isElsewhere(made))),
        });
        expect(ofOthers.roundup).toEqual(automatic.roundup);
      }),
    );
  });

  it('select the same from the candidates in any order', () => {
    const shuffled = anyCandidates.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, rules, decisions, ([list, other], how, decided) => {
        expect(selectStories(other, how, decided)).toEqual(selectStories(list, how, decided));
      }),
    );
  });
});
