/** The code of a thread or child process in a pool: does one job after the other. pool-thread.ts starts it. */
import { parentPort } from 'node:worker_threads';
import type { JobRequest, JobResponse } from './thread-job.ts';

function respond(response: JobResponse): void {
  if (parentPort !== null) parentPort.postMessage(response);
  // The parent may have ended; then this process ends, too, when its job is done.
  else if (process.connected) process.send?.(response);
}

async function serve({ module, name, argument }: JobRequest): Promise<void> {
  const run = await load(module, name);
  if (run === null) return;
  respond({ kind: 'started' });
  try {
    respond({ kind: 'done', result: await run(argument) });
  } catch (error) {
    const { name, message } = toError(error);
    respond({ kind: 'threw', name, message });
  }
}

/** @returns null if it cannot be loaded, which it has told */
async function load(module: string, name: string): Promise<((argument: unknown) => unknown) | null> {
  try {
    const run = ((await import(module)) as Record<string, (argument: unknown) => unknown>)[name];
    if (run === undefined) throw new Error(`${module} exports no ${name}`);
    return run;
  } catch (error) {
    respond({ kind: 'not loaded', message: toError(error).message });
    return null;
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

if (parentPort !== null) parentPort.on('message', serve);
else {
  process.on('message', serve);
  // A service manager, or Ctrl-C, signals a whole group: the parent decides when its jobs end.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
}
