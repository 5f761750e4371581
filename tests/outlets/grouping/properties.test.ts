import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupItems } from '../../../src/outlets/grouping/group-items.ts';
import type { FrozenGroup, Grouping, GroupingItem } from '../../../src/outlets/grouping/grouping-item.ts';
import { anyText } from '../../support/any-text.ts';
import { runs } from '../../support/run-scope.ts';
import { PAST } from './items.ts';

const WORDS = ['Northwind', 'buys', 'Contoso', 'Halvern', 'strike', 'docks', '4.2', 'billion', '星河科技', '收购'];
const RUNS = { numRuns: runs(60) };

const title = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 }).map((w) => w.join(' ')) },
  { weight: 1, arbitrary: anyText(400) },
);
const item = fc.record({
  ...{ title, outlet: fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F') },
  summary: fc.option(title),
  canonicalUrl: fc.option(fc.constantFrom('https://a.example/', 'https://b.example/', 'https://c.example/')),
  language: fc.option(fc.constantFrom('en', 'en-GB', 'fr', 'zh-Hans', 'constructor', '__proto__')),
  at: fc.nat(5),
});
const items = fc
  .array(item, { minLength: 1, maxLength: 14 })
  .map((all) => all.map((one, id): GroupingItem => ({ ...one, id })));
/** By item, the frozen group that it is in; 0 for none. */
const owners = fc.array(fc.nat(3), { minLength: 14, maxLength: 14 });

function frozenOf(all: GroupingItem[], owner: number[]): FrozenGroup[] {
  const frozen = Map.groupBy(
    all.filter(({ id }) => owner[id] !== 0),
    ({ id }) => owner[id],
  );
  return [...frozen.values()].map((own) => ({ id: (own[0] as GroupingItem).id, items: own.map(({ id }) => id) }));
}

function groupsWith({ groups }: Grouping, ids: number[]): Grouping['groups'] {
  return groups.filter((group) => ids.some((id) => group.items.includes(id)));
}

describe('grouping any items', () => {
  it('gives the same groups and suggestions in any order', () => {
    const shuffled = items.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), owners),
    );
    fc.assert(
      fc.property(shuffled, ([all, other, owner]) => {
        const frozen = frozenOf(all, owner);
        expect(groupItems({ items: other, frozen: frozen.toReversed(), frequencies: PAST })).toEqual(
          groupItems({ items: all, frozen, frequencies: PAST }),
        );
      }),
      RUNS,
    );
  });

  it('puts each item into one group, the earliest first, and each outlet at most once', () => {
    fc.assert(
      fc.property(items, (all) => {
        const { groups, suggestions } = groupItems({ items: all, frozen: [], frequencies: PAST });
        expect(groups.flatMap((group) => group.items).sort((a, b) => a - b)).toEqual(all.map(({ id }) => id));
        for (const group of groups) {
          const times = group.items.map((id) => all[id]?.at ?? 0);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          expect(group.id).toBe(group.items[0]);
          const outlets = group.items.map((id) => all[id]?.outlet);
          expect(new Set(outlets).size).toBe(outlets.length);
        }
        for (const { groupId, otherId, similarity } of suggestions) {
          expect(groupId).toBeLessThan(otherId);
          expect(similarity).toBeGreaterThan(0);
          // Titles without summaries count a tenth more.
          expect(similarity).toBeLessThanOrEqual(1.100001);
        }
      }),
      RUNS,
    );
  });

  it('leaves frozen groups as they are, but for newcomers of other outlets', () => {
    fc.assert(
      fc.property(items, owners, (all, owner) => {
        const frozen = frozenOf(all, owner);
        const grouping = groupItems({ items: all, frozen, frequencies: PAST });
        for (const group of frozen) {
          const found = groupsWith(grouping, group.items);
          expect(found.map(({ id }) => id)).toEqual([group.id]);
          const own = new Set(group.items.map((id) => all[id]?.outlet));
          const newcomers = (found[0]?.items ?? []).filter((id) => !group.items.includes(id));
          expect(newcomers.filter((id) => own.has(all[id]?.outlet))).toEqual([]);
          expect(newcomers.filter((id) => owner[id] !== 0)).toEqual([]);
        }
      }),
      RUNS,
    );
  });
});
