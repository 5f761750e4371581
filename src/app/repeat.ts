/**
 * Repeats work while daywire runs, one execution at a time. A failure is logged and does not end the repetition.
 */
import type { Log } from '../lib/log.ts';

export interface Stoppable {
  /** Begins nothing new, finishes what is under way, and resolves. */
  stop(): Promise<void>;
}

/**
 * @param everyMs from the end of one execution to the start of the next
 * @param name of the work, in the log
 * @param work its `signal` is aborted by `stop`
 */
export function repeat(
  everyMs: number,
  name: string,
  log: Log,
  work: (signal: AbortSignal) => Promise<void>,
): Stoppable {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout;
  let execution: Promise<void> = Promise.resolve();
  let lastError: string | null = null;

  const execute = async (): Promise<void> => {
    try {
      await work(stopping.signal);
      if (lastError !== null) log.info({}, `${name} works again`);
      lastError = null;
    } catch (reason) {
      const error = String(reason);
      // Once for each error, not ten times a second while the database is away.
      if (error !== lastError) log.error({ error }, `${name} failed; retrying`);
      lastError = error;
    }
    if (!stopping.signal.aborted) schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => {
      execution = execute();
    }, everyMs);
  };
  schedule();

  return {
    stop() {
      stopping.abort();
      clearTimeout(timer);
      return execution;
    },
  };
}
