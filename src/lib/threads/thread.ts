/** The code of a thread in a pool: does one job after the other. pool-thread.ts starts it. */
import { parentPort } from 'node:worker_threads';
import type { JobRequest, JobResponse } from './thread-job.ts';

const port = parentPort;
if (port === null) throw new Error('thread must run in a thread');
const respond = (response: JobResponse): void => port.postMessage(response);

port.on('message', async ({ module, name, argument }: JobRequest) => {
  // A module that cannot be loaded ends the thread: that is not the fault of the argument.
  const run = ((await import(module)) as Record<string, (argument: unknown) => unknown>)[name];
  if (run === undefined) throw new Error(`${module} exports no ${name}`);
  respond({ kind: 'started' });
  try {
    respond({ kind: 'done', result: await run(argument) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    respond({ kind: 'threw', name, message });
  }
});
