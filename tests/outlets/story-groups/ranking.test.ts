import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../src/lib/time.ts';
import { type Rankable, rankGroups } from '../../../src/outlets/story-groups/rank-groups.ts';
import { NOW } from '../../support/clock.ts';

/** A group of so many outlets whose newest report is so many hours old, with a title that no other has. */
function group(id: number, outlets: number, hours: number, change: Partial<Rankable> = {}): Rankable {
  return {
    ...{ id, outlets, newestAt: NOW - hours * HOUR, position: null, isSuggested: false },
    ...{ title: `No. ${id}`, outlet: `outlet ${id}`, language: 'en' },
    ...change,
  };
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

  it('puts no report of one outlet before an event of two, however old the event is', () => {
    expect(order([group(1, 1, 0, { position: 0 }), group(2, 2, 26)])).toEqual([2, 1]);
  });

  it('counts a report of one outlet as older the lower its feed has it, and without a place as in the middle', () => {
    const placed = [null, 0, 11, 13].map((position, index) => group(index + 1, 1, 1, { position }));
    expect(order(placed)).toEqual([2, 3, 1, 4]);
    expect(order([group(1, 1, 0, { position: 9 }), group(2, 1, 4, { position: 0 })])).toEqual([2, 1]);
    expect(order([group(1, 1, 0, { position: 7 }), group(2, 1, 4, { position: 0 })])).toEqual([1, 2]);
    expect(order([group(1, 1, 0, { position: 24 }), group(2, 1, 11, { position: 0 })])).toEqual([2, 1]);
    // Beyond the first places, a feed says nothing more.
    expect(order([group(1, 1, 2, { position: 24 }), group(2, 1, 1, { position: 300 })])).toEqual([2, 1]);
    // Events of several outlets are ranked without.
    expect(order([group(1, 2, 1, { position: 30 }), group(2, 2, 2, { position: 0 })])).toEqual([1, 2]);
  });

  it('puts reports that are perhaps the same below events of several outlets, and before all others', () => {
    const isSuggested = true;
    expect(order([group(1, 1, 0), group(2, 1, 20, { isSuggested }), group(3, 2, 22)])).toEqual([3, 2, 1]);
    expect(order([group(1, 2, 0), group(2, 2, 3, { isSuggested })])).toEqual([1, 2]);
  });

  it('counts a digest of one outlet as half a day older', () => {
    const quiz = { title: 'Morning quiz: how well do you know Orlen?' };
    expect(order([group(1, 1, 0, quiz), group(2, 1, 11), group(3, 1, 13)])).toEqual([2, 1, 3]);
    expect(order([group(1, 2, 0, quiz), group(2, 2, 1)])).toEqual([1, 2]);
  });

  /** Ten reports, the freshest first: all of the theme but the fifth and the tenth. */
  function themed(word: string, change: (id: number) => Partial<Rankable> = () => ({})): Rankable[] {
    return Array.from({ length: 10 }, (_, index) => {
      const id = index + 1;
      const title = id % 5 === 0 ? `No. ${id}` : `${word}, no. ${id}`;
      return group(id, 1, id / 10, { title, ...change(id) });
    });
  }

  it('moves further groups of a theme down, the more of it were before, after the first two', () => {
    expect(order(themed('Floods'))).toEqual([1, 2, 5, 10, 3, 4, 6, 7, 8, 9]);
    // The events of several outlets count, and stay before single reports.
    expect(order(themed('Floods', (id) => ({ outlets: id < 5 ? 2 : 1 })))).toEqual([1, 2, 3, 4, 5, 10, 6, 7, 8, 9]);
  });

  it('takes a word for a theme that five groups have, and 5 % of all', () => {
    const floods = (count: number) => Array.from({ length: count }, (_, id) => group(id, 1, 0, { title: 'Floods' }));
    const others = (count: number) => Array.from({ length: count }, (_, index) => group(100 + index, 1, 0.5));
    expect(order([...floods(4), ...others(9)]).slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(order([...floods(5), ...others(95)]).slice(0, 3)).toEqual([0, 1, 100]);
    expect(order([...floods(5), ...others(96)]).slice(0, 3)).toEqual([0, 1, 2]);
  });

  it('moves a group of a theme down by twelve hours at most', () => {
    const many = Array.from({ length: 30 }, (_, id) => group(id, 1, 0, { title: 'Floods' }));
    expect(order([...many, group(40, 1, 11), group(41, 1, 13)]).slice(-19)).toEqual([
      40,
      ...Array.from({ length: 17 }, (_, index) => 13 + index),
      41,
    ]);
  });

  it('takes no stop word, no phrase of all headlines, and no name of one or two outlets for a theme', () => {
    const unmoved = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    for (const word of ['during', 'Says', 'New']) expect(order(themed(word))).toEqual(unmoved);
    expect(order(themed('durante', () => ({ language: 'es-MX' })))).toEqual(unmoved);
    expect(order(themed('Bulletin', (id) => ({ outlet: `outlet ${id % 2}` })))).toEqual(unmoved);
  });

  it('lets a group that rises push others down only, so that the next page of a list misses none', () => {
    const title = fc.constantFrom('Floods', 'Elections', 'Floods before elections', 'Other');
    const groups = fc.array(fc.tuple(title, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 26 })), {
      minLength: 12,
      maxLength: 40,
    });
    fc.assert(
      fc.property(groups, fc.nat(), (given, chosen) => {
        const before = given.map(([title, outlets, hours], id) => group(id, outlets, hours, { title }));
        const risen = chosen % before.length;
        const after = before.map((one) => (one.id === risen ? { ...one, newestAt: NOW } : one));
        const scores = new Map(rankGroups(before).map(({ id, score }) => [id, score]));
        return rankGroups(after).every(({ id, score }) => id === risen || score <= (scores.get(id) as number));
      }),
    );
  });

  it('orders equal groups by the id, whatever their order is', () => {
    const equal = [group(3, 1, 2), group(1, 1, 2), group(2, 1, 2)];
    expect(order(equal)).toEqual([1, 2, 3]);
    expect(order(equal.toReversed())).toEqual([1, 2, 3]);
    expect(order(themed('Floods').toReversed())).toEqual(order(themed('Floods')));
  });
});
