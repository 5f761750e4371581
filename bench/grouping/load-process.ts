/** Groups the items of one message, answers with time and memory, and ends. load.ts starts it. */
import { type GroupingInput, groupItems } from '../../src/outlets/grouping/group-items.ts';
import type { Load } from './load.ts';

process.once('message', (input: GroupingInput) => {
  const start = performance.now();
  groupItems(input);
  const milliseconds = Math.round(performance.now() - start);
  const load: Load = { milliseconds, mib: Math.round(process.resourceUsage().maxRSS / 1_024) };
  process.send?.(load, () => process.disconnect());
});
