import { describe, expect, it } from 'vitest';
import { approvalHash, changedStories, storyBasis, voidReason } from '../../../src/editions/draft/approval.ts';
import {
  type Decisions,
  type DraftState,
  type ListedStory,
  NO_DECISIONS,
} from '../../../src/editions/draft/decisions.ts';
import { AT, LISTED } from './editors.ts';

const IDS = LISTED.map(({ id }) => id);
const without = (...gone: string[]) => new Set(IDS.filter((id) => !gone.includes(id)));

describe('an approval', () => {
  it('is valid while its lead and enough of its stories are left', () => {
    expect(voidReason(LISTED, without(), 6)).toBeNull();
    expect(voidReason(LISTED, without('n1', 'n2'), 4)).toBeNull();
    expect(voidReason([], without(), 0)).toBeNull();
  });

  it('is void without its lead', () => {
    expect(voidReason(LISTED, without('cover'), 1)).toBe('its lead cover is no longer available');
  });

  it('is void with too few stories', () => {
    expect(voidReason(LISTED, without('n1', 'n2'), 5)).toBe('4 of its 6 stories are left, fewer than 5');
    const roundup = LISTED.filter(({ block }) => block === 'roundup');
    expect(voidReason(roundup, without('r1'), 1)).toBe('0 of its 1 stories are left, fewer than 1');
  });

  it('counts an event once, as long as one of its reports is left', () => {
    const event: ListedStory[] = [...LISTED, { id: 'r2', block: 'also', digest: '' }];
    const all = new Set([...IDS, 'r2']);
    expect(voidReason(event, all, 7)).toBe('6 of its 6 stories are left, fewer than 7');
    expect(voidReason(event, new Set([...all].filter((id) => id !== 'r1')), 6)).toBeNull();
    expect(voidReason(event, without('r1'), 6)).toBe('5 of its 6 stories are left, fewer than 6');
  });

  it('names the stories whose content has changed since', () => {
    const shown = LISTED.map(({ id, digest }) => ({ articleId: id, digest: id === 'n2' ? 'another' : digest }));
    expect(changedStories(LISTED, [...shown, { articleId: 'new', digest: 'x' }])).toEqual(['n2']);
  });

  it('has a hash of decisions, stories and blocks, and not of their content', () => {
    const hash = approvalHash(NO_DECISIONS, LISTED);
    const moved = LISTED.map((one) => (one.id === 'n1' ? { ...one, block: 'latest' as const } : one));
    const corrected = LISTED.map((one) => ({ ...one, digest: 'another' }));
    expect(approvalHash(NO_DECISIONS, corrected)).toBe(hash);
    const others = [
      approvalHash({ ...NO_DECISIONS, subject: 'Chips' }, LISTED),
      approvalHash(NO_DECISIONS, LISTED.toReversed()),
      approvalHash(NO_DECISIONS, LISTED.slice(1)),
      approvalHash(NO_DECISIONS, moved),
    ];
    expect(new Set([hash, ...others]).size).toBe(5);
  });
});

describe('the stories of a draft', () => {
  const decisions: Decisions = {
    ...NO_DECISIONS,
    blocks: { news: ['n2', 'n1'] },
    stories: {
      gone: { kind: 'dropped' },
      n1: { kind: 'dropped' },
      old: { kind: 'pinned' },
      n2: { kind: 'placed', block: 'news' },
    },
  };
  const basisOf = (state: DraftState) => storyBasis({ state, decisions });

  it('are all eligible ones, and those that the editor brought in', () => {
    const expected = { decisions, only: null, added: ['old', 'n2'] };
    expect(basisOf({ kind: 'automatic' })).toEqual(expected);
    expect(basisOf({ kind: 'held', by: 'ada', at: AT, reason: null })).toEqual(expected);
  });

  it('are without those that were dropped from an earlier slot, unless the editor brings them in', () => {
    const basis = storyBasis({ state: { kind: 'automatic' }, decisions }, ['old', 'n1', 'earlier']);
    expect(basis.decisions.stories).toEqual({ ...decisions.stories, earlier: { kind: 'dropped' } });
    expect(basis.added).toEqual(['old', 'n2']);
    const approved = storyBasis(
      { state: { kind: 'approved', by: 'ada', at: AT, hash: '', stories: LISTED }, decisions },
      ['earlier'],
    );
    expect(approved.only).toContain('earlier');
  });

  it('are exactly the approved ones, in their places', () => {
    const stories: ListedStory[] = [...LISTED, { id: '__proto__', block: 'also', digest: '' }];
    const basis = basisOf({ kind: 'approved', by: 'ada', at: AT, hash: '', stories });
    // A dropped story is read so that the edition records it; that of this test was approved after all.
    expect(basis.only).toEqual([...IDS, '__proto__', 'gone']);
    expect(basis.decisions.stories).toMatchObject({ gone: { kind: 'dropped' }, n1: { kind: 'placed' } });
    expect(basis.added).toEqual([]);
    expect(basis.decisions.blocks).toEqual({
      lead: ['cover'],
      news: ['n1', 'n2', 'n3'],
      analysis: ['a1'],
      roundup: ['r1', '__proto__'],
    });
    expect(Object.entries(basis.decisions.stories)).toContainEqual(['__proto__', { kind: 'placed', block: 'roundup' }]);
    expect(Object.keys(basis.decisions.stories)).toHaveLength(8);
  });

  it('are those of the closed edition, with what was decided since', () => {
    const basis = basisOf({ kind: 'closed', at: AT, stories: LISTED });
    expect(basis.only).toEqual([...IDS, 'old']);
    expect(basis.decisions.blocks.news).toEqual(['n2', 'n1', 'n3']);
    expect(basis.decisions.stories).toMatchObject({ n1: { kind: 'dropped' }, n3: { kind: 'placed', block: 'news' } });
  });
});
