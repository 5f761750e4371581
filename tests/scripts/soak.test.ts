import { describe, expect, it } from 'vitest';
import { findDeliveryFaults, findTrendFaults, type Trend, trendOf } from '../../scripts/soak/findings.ts';
import type { Person } from '../../scripts/soak/people.ts';

const CLOSED = 1_000_000;
const EDITIONS = [{ id: 1, closedAt: CLOSED }];
const EARLY = { after: CLOSED - 60_000, by: CLOSED - 50_000 };
const LATE = { after: CLOSED + 50_000, by: CLOSED + 60_000 };

const ada = { email: 'ada@example.com', confirmed: EARLY, left: null };

function faultsOf(person: Person, state: string | null, copies: string[], bound = 0): string[] {
  const { email } = person;
  const deliveries = state === null ? [] : [{ editionId: 1, email, state }];
  return findDeliveryFaults([person], EDITIONS, deliveries, new Map([[email, copies]]), bound).faults;
}

describe('the rules of the soak test', () => {
  it('accept one copy for each confirmed person, and repeated ones within the bound of the kills', () => {
    expect(faultsOf(ada, 'submitted', ['<1>'])).toEqual([]);
    expect(faultsOf(ada, 'submitted', ['<1>', '<1>'], 1)).toEqual([]);
    expect(faultsOf({ ...ada, confirmed: LATE }, null, [])).toEqual([]);
    expect(faultsOf({ ...ada, confirmed: null }, null, [])).toEqual([]);
    expect(faultsOf({ ...ada, left: EARLY }, 'suppressed', [])).toEqual([]);
  });

  it.each<[string, Person, string | null, string[], RegExp]>([
    ['a missing delivery', ada, null, [], /was confirmed, and edition 1 has no delivery/],
    ['a lost copy', ada, 'submitted', [], /has 0 different messages of 1 submitted editions/],
    ['a second message', ada, 'submitted', ['<1>', '<2>'], /has 2 different messages of 1/],
    ['a delivery that did not end', ada, 'pending', [], /the delivery of edition 1 to ada@example\.com is pending/],
    ['too many copies', ada, 'submitted', ['<1>', '<1>'], /1 extra copies are more than 0/],
    ['mail to somebody who left', { ...ada, left: EARLY }, 'submitted', ['<1>'], /was not subscribed, and got/],
    ['mail without a confirmation', { ...ada, confirmed: null }, 'submitted', ['<1>'], /was not subscribed, and got/],
  ])('find %s', (_, person, state, copies, fault) => {
    const faults = faultsOf(person, state, copies);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  it('find what grows, and too few samples to tell', () => {
    const samplesOf = (memory: (at: number) => number) =>
      Array.from({ length: 60 }, (_, at) => ({ age: at, memory: memory(at), openFiles: 30, response: 2 }));
    const flat: Trend = { first: 30, last: 31, samples: 60 };
    const rest = { openFiles: flat, response: flat };
    const memoryOf = (memory: (at: number) => number) => trendOf(samplesOf(memory), (sample) => sample.memory);
    const megabyte = 1024 * 1024;
    expect(findTrendFaults({ ...rest, memory: memoryOf((at) => (200 + (at % 7)) * megabyte) })).toEqual([]);
    expect(findTrendFaults({ ...rest, memory: memoryOf((at) => (200 + 3 * at) * megabyte) })).toEqual([
      'memory grew from 230 MB to 350 MB',
    ]);
    expect(findTrendFaults({ ...rest, memory: { ...flat, samples: 3 } })).toEqual([
      '3 samples are too few to see a trend',
    ]);
    expect(findTrendFaults({ memory: flat, response: flat, openFiles: { ...flat, last: 90 } })).toEqual([
      'open files grew from 30 to 90',
    ]);
  });
});
