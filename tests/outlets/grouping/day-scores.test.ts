import { expect, it } from 'vitest';
import { countDayGroups, daySharesOf } from '../../../bench/grouping/day-scores.ts';
import type { LabelledItem } from '../../../bench/grouping/labelled-days.ts';
import { groupingItem } from './items.ts';

/** Stories of the reports of a day, each of an outlet of its own; with `?` one is doubtful, with `*` a digest. */
function sharesOf(stories: string[], groups: number[][], suggested: [number, number][] = []) {
  const items = stories.map(
    (label, id): LabelledItem => ({
      item: groupingItem(id, label),
      story: label.replace(/[?*]/, ''),
      isDoubtful: label.endsWith('?'),
      isDigest: label.endsWith('*'),
    }),
  );
  const single = stories.flatMap((_, id) => (groups.flat().includes(id) ? [] : [[id]]));
  return daySharesOf(
    countDayGroups(items, {
      groups: [...groups, ...single].map((ids) => ({ id: ids[0] as number, items: ids, certain: [] })),
      suggestions: suggested.map(([groupId, otherId]) => ({ groupId, otherId, similarity: 0.2 })),
    }),
  );
}

it('scores groups, credits and pairs of a day against its labels', () => {
  const shares = sharesOf(
    ['a', 'a', 'a', 'b', 'b', 'c', 'd', 'd'],
    [
      [0, 1, 5],
      [3, 4],
    ],
    [
      [2, 0],
      [6, 7],
      [3, 6],
    ],
  );
  expect(shares).toMatchObject({ groups: 2, groupPrecision: 0.5, creditPrecision: 0.667, stories: 3 });
  expect(shares).toMatchObject({ groupRecall: 0.667, groupRecallWithSuggestions: 1, suggestedPairPrecision: 0.667 });
  // Of 4 pairs in groups 2 are right, and the stories have 5.
  expect(shares).toMatchObject({ pairPrecision: 0.5, pairRecall: 0.4 });
  expect(shares.groupPrecisionFrom).toBeLessThan(0.1);
  expect(shares.groupPrecisionTo).toBeGreaterThan(0.9);
  expect(sharesOf(['a', 'a'], [[0, 1]])).toMatchObject({ groupPrecision: 1, b3F1: 1, suggestedPairPrecision: null });
});

it('leaves false joins with doubtful reports and digests out of precision, and counts right ones', () => {
  const none = { groups: 1, groupPrecision: null, creditPrecision: null, pairPrecision: null };
  expect(sharesOf(['a', 'b?'], [[0, 1]])).toMatchObject(none);
  expect(sharesOf(['a', 'b*'], [[0, 1]])).toMatchObject(none);
  expect(sharesOf(['a', 'a?'], [[0, 1]])).toMatchObject({ groupPrecision: 1, creditPrecision: 1, groupRecall: 1 });
  expect(sharesOf(['a', 'a', 'b?'], [[0, 1, 2]])).toMatchObject({ groupPrecision: 1, creditPrecision: 1 });
  expect(sharesOf(['a', 'c', 'b?'], [[0, 1, 2]])).toMatchObject({ groupPrecision: 0, creditPrecision: 0 });
});
