/**
 * Measures the delay of the event loop in the process of the soak test, which loads it by `--import`, and what its heap
 * holds. SIGUSR2 writes the figures to the file SOAK_LOOP_DELAY, and starts counting from zero.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const file = process.env.SOAK_LOOP_DELAY ?? '';
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('SIGUSR2', () => {
  const delays = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(`${file}.tmp`, JSON.stringify({ ...delays, heap: heapUsed + external }));
  renameSync(`${file}.tmp`, file);
  delay.reset();
});
