import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareIds, isGone, type KnownItem } from '../../src/own-sites/sweep.ts';

const known = (item: string, change: Partial<KnownItem> = {}): KnownItem => {
  return { item, missing: 0, modified_at: 1_000, withdrawal: null, ...change };
};

describe('comparing the ids of a source with what is known', () => {
  it('suspects an item that a second sweep in a row misses, and not before', () => {
    expect(compareIds([known('a')], new Map())).toMatchObject({ missing: new Map([[1, ['a']]]), suspected: [] });
    expect(compareIds([known('a', { missing: 1 })], new Map())).toMatchObject({ suspected: ['a'] });
  });

  it('forgets what it missed once the item is back', () => {
    const outcome = compareIds([known('a', { missing: 1 })], new Map([['a', 1_000]]));
    expect(outcome).toEqual({ returned: ['a'], missing: new Map(), suspected: [], unread: [] });
  });

  it('reads what is unknown, changed since, or back after a withdrawal', () => {
    const present = new Map([
      ['new', 1_000],
      ['changed', 2_000],
      ['same', 1_000],
      ['undated', null],
      ['back', 1_000],
    ]);
    const all = [known('changed'), known('same'), known('undated'), known('back', { withdrawal: 'retracted' })];
    expect(compareIds(all, present).unread).toEqual(['new', 'changed', 'back']);
  });

  it('leaves alone what is gone and dealt with', () => {
    const outcome = compareIds([known('a', { missing: 5, withdrawal: 'retracted' })], new Map());
    expect(outcome).toEqual({ returned: [], missing: new Map(), suspected: [], unread: [] });
  });

  it('never suspects an item that is present, or that fewer than two sweeps have missed', () => {
    const item = fc.record({
      item: fc.constantFrom('a', 'b', 'c', 'd'),
      missing: fc.nat(3),
      modified_at: fc.option(fc.nat(9)),
      withdrawal: fc.constantFrom(null, 'retracted' as const),
    });
    const items = fc.uniqueArray(item, { selector: (one) => one.item });
    const present = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    fc.assert(
      fc.property(items, present, (all, ids) => {
        const { suspected } = compareIds(all, new Map(ids.map((id) => [id, 1])));
        for (const id of suspected) {
          expect(ids).not.toContain(id);
          expect(all.find((one) => one.item === id)?.missing).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe('whether a post is gone', () => {
  it.each([
    [404, null, true],
    [410, null, true],
    [401, 404, true],
    [403, 410, true],
    [401, 200, false],
    [401, null, false],
    [403, 500, false],
    [200, 404, false],
    [500, 404, false],
    [429, null, false],
  ])('by %i of the API and %s of its page: %s', (api, page, gone) => {
    expect(isGone(api, page)).toBe(gone);
  });
});
