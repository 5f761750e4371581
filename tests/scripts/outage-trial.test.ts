import { describe, expect, it } from 'vitest';
import { countCopies } from '../../scripts/outages/count-copies.ts';

const NOBODY = new Set<string>();
const ada = (state: string) => [{ recipient: 'ada@example.com', state }];
const copiesOf = (...ids: string[]) => new Map([['ada@example.com', ids]]);

describe('the count of the outage trial', () => {
  it('is clean if each submitted delivery has one copy', () => {
    const counts = { deliveries: 1, lost: [], doubled: [], uncertain: 0 };
    expect(countCopies(ada('submitted'), copiesOf('<1>'), NOBODY)).toEqual(counts);
  });

  it('finds deliveries without a copy, and those that did not end', () => {
    const { lost } = countCopies(ada('submitted'), new Map(), NOBODY);
    expect(lost).toEqual(['ada@example.com has no copy, and its delivery is submitted']);
    expect(countCopies(ada('pending'), copiesOf('<1>'), NOBODY).lost).toEqual([
      'the delivery to ada@example.com is pending',
    ]);
  });

  it('allows one more copy of a delivery that a kill interrupted, and only with the same Message-ID', () => {
    const interrupted = new Set(['ada@example.com']);
    const count = (...ids: string[]) => countCopies(ada('submitted'), copiesOf(...ids), interrupted);
    expect(count('<1>', '<1>')).toMatchObject({ doubled: [], uncertain: 1 });
    expect(count('<1>', '<2>')).toMatchObject({ doubled: ['ada@example.com has a copy with another Message-ID'] });
    expect(count('<1>', '<1>', '<1>')).toMatchObject({ doubled: ['ada@example.com has 3 copies'], uncertain: 1 });
    expect(countCopies(ada('submitted'), copiesOf('<1>', '<1>'), NOBODY).doubled).toHaveLength(1);
  });

  it('finds a copy that no delivery explains', () => {
    expect(countCopies([], copiesOf('<1>'), NOBODY).doubled).toEqual(['ada@example.com has a copy without a delivery']);
  });
});
