/** How long 2,000 items take, and the memory of a process that groups them and does nothing else. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GroupingInput } from '../../src/outlets/grouping/group-items.ts';
import { frequenciesOf } from '../../src/outlets/grouping/term-frequencies.ts';
import type { Headline, Story } from './headlines.ts';
import { toItem } from './items.ts';

const ITEMS = 2_000;

export interface Load {
  /** Of the first grouping in the process: its code is not compiled yet. */
  milliseconds: number;
  /** Peak of the resident memory, Node's own included. */
  mib: number;
}

export async function measureLoad(stories: readonly Story[]): Promise<Load> {
  const frequencies = frequenciesOf(stories.map((story) => story.slice(0, 8).map(toItem)));
  const input: GroupingInput = { items: manyHeadlines(stories.flat()).map(toItem), frozen: [], frequencies };
  const child = fork(fileURLToPath(new URL('load-process.ts', import.meta.url)), { serialization: 'advanced' });
  child.send(input);
  const [load] = (await once(child, 'message')) as [Load];
  return load;
}

/** All headlines, again as those of other outlets until there are enough. */
function manyHeadlines(headlines: readonly Headline[]): Headline[] {
  return Array.from({ length: ITEMS }, (_, index) => {
    const { title, outlet } = headlines[index % headlines.length] as Headline;
    const round = Math.floor(index / headlines.length);
    return round === 0 ? { title, outlet } : { title: `${title} ${round}`, outlet: `${outlet} ${round}` };
  });
}
