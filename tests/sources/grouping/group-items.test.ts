import { describe, expect, it } from 'vitest';
import { groupItems } from '../../../src/sources/grouping/group-items.ts';
import { groupingItem } from './items.ts';

const MERGER = [
  groupingItem(1, 'Northwind agrees to buy rival Contoso for $4.2 billion'),
  groupingItem(2, 'Contoso bought by Northwind in $4.2 billion deal'),
  groupingItem(3, 'Northwind buys Contoso'),
];
const STRIKE = groupingItem(4, 'Dock workers in Halvern vote to strike over pay');

describe('grouping', () => {
  it('joins reports of one event, and leaves others alone', () => {
    expect(groupItems([...MERGER, STRIKE], [], new Map()).groups).toEqual([
      { id: 1, items: [1, 2, 3] },
      { id: 4, items: [4] },
    ]);
  });
});
