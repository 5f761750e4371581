import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../src/lib/time.ts';
import { rankGroups } from '../../../src/sources/story-groups/ranking.ts';
import type { StoryGroup } from '../../../src/sources/story-groups/story-group.ts';
import { NOW } from '../../support/clock.ts';
import { automaticGroup, groupedItem } from '../../support/outlet-items.ts';

/** A group of so many outlets whose reports are so many hours old. */
function group(id: number, outlets: number, hours: number): StoryGroup {
  const at = NOW - hours * HOUR;
  const times = { publishedAt: at, firstSeenAt: at };
  return automaticGroup(...Array.from({ length: outlets }, (_, index) => groupedItem(id + index / 100, times)));
}

const order = (groups: StoryGroup[]) => rankGroups(groups, NOW).map(({ id }) => id);

describe('rankGroups', () => {
  it('puts events of more outlets first, and fresh ones before old ones', () => {
    expect(order([group(1, 1, 0), group(2, 3, 0), group(3, 2, 0)])).toEqual([2, 3, 1]);
    expect(order([group(1, 1, 9), group(2, 1, 1)])).toEqual([2, 1]);
  });

  it('halves the weight of outlets every twelve hours after the newest report', () => {
    expect(order([group(1, 3, 12), group(2, 2, 0)])).toEqual([2, 1]);
    expect(order([group(1, 5, 12), group(2, 2, 0)])).toEqual([1, 2]);
  });

  it('counts an outlet once, and orders equal groups by the newest report and the id, whatever their order is', () => {
    const twice = automaticGroup(groupedItem(1, { outlet: 'A' }), groupedItem(1.5, { outlet: 'A' }));
    expect(order([twice, group(2, 2, 1)])).toEqual([2, 1]);
    const equal = [group(3, 1, 2), group(1, 1, 2), group(2, 1, 2)];
    expect(order(equal)).toEqual([1, 2, 3]);
    expect(order(equal.toReversed())).toEqual([1, 2, 3]);
  });
});
