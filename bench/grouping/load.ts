/** How long 2,000 items take, and the memory of a process that groups them and does nothing else. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GroupingInput } from '../../src/outlets/grouping/group-items.ts';
import type { GroupingItem } from '../../src/outlets/grouping/grouping-item.ts';
import type { Frequencies } from '../../src/outlets/grouping/term-frequencies.ts';

const ITEMS = 2_000;

export interface Load {
  /** Of the first grouping in the process: its code is not compiled yet. */
  milliseconds: number;
  /** Peak of the resident memory, Node's own included. */
  mib: number;
}

/** Measures with these items, again as those of other outlets until there are enough. */
export async function measureLoad(items: readonly GroupingItem[], frequencies: Frequencies): Promise<Load> {
  const input: GroupingInput = {
    items: Array.from({ length: ITEMS }, (_, id) => nth(items, id)),
    frozen: [],
    frequencies,
  };
  const child = fork(fileURLToPath(new URL('load-process.ts', import.meta.url)), { serialization: 'advanced' });
  child.send(input);
  const [load] = (await once(child, 'message')) as [Load];
  return load;
}

function nth(items: readonly GroupingItem[], id: number): GroupingItem {
  const item = items[id % items.length] as GroupingItem;
  const round = Math.floor(id / items.length);
  return round === 0
    ? { ...item, id }
    : { ...item, id, title: `${item.title} ${round}`, outlet: `${item.outlet} ${round}` };
}
