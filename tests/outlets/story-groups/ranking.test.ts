import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../src/lib/time.ts';
import { type Rankable, rankGroups } from '../../../src/outlets/story-groups/story-group.ts';
import { NOW } from '../../support/clock.ts';

/** A group of so many outlets whose newest report is so many hours old. */
function group(id: number, outlets: number, hours: number): Rankable {
  return { id, outlets, newestAt: NOW - hours * HOUR };
}

const order = (groups: Rankable[]) => rankGroups(groups).map(({ id }) => id);

describe('rankGroups', () => {
  it('puts events of more outlets first, and fresh ones before old ones', () => {
    expect(order([group(1, 1, 0), group(2, 3, 0), group(3, 2, 0)])).toEqual([2, 3, 1]);
    expect(order([group(1, 1, 9), group(2, 1, 1)])).toEqual([2, 1]);
  });

  it('halves the weight of outlets every twelve hours after the newest report', () => {
    expect(order([group(1, 3, 12), group(2, 2, 0)])).toEqual([2, 1]);
    expect(order([group(1, 5, 12), group(2, 2, 0)])).toEqual([1, 2]);
  });

  it('orders equal groups by the id, whatever their order is', () => {
    const equal = [group(3, 1, 2), group(1, 2, 14), group(2, 1, 2)];
    expect(order(equal)).toEqual([1, 2, 3]);
    expect(order(equal.toReversed())).toEqual([1, 2, 3]);
  });
});
