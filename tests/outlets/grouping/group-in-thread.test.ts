import { describe, expect, it } from 'vitest';
import { groupItems } from '../../../src/outlets/grouping/group-items.ts';
import { groupInThread } from '../../../src/outlets/story-groups/regroup.ts';
import { groupingItem, PAST } from './items.ts';

const items = [groupingItem(1, 'Northwind buys Contoso'), groupingItem(2, 'Contoso bought by Northwind')];
const input = { items, frozen: [{ id: 2, items: [2] }], frequencies: PAST };

describe('grouping in a thread', () => {
  it('gives the same as on the main thread', async () => {
    expect(await groupInThread(input)).toEqual(groupItems(input.items, input.frozen, input.frequencies));
  });

  it('ends when it is aborted', async () => {
    await expect(groupInThread(input, AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping');
  });
});
