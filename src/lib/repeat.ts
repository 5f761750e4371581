/** Repeats work while daywire runs, one execution at a time. A failure is logged and does not end the repetition. */
import type { Log } from './log.ts';

export interface Stoppable {
  /** Begins nothing new, finishes what is under way, and resolves. */
  stop(): Promise<void>;
}

export interface Repetition extends Stoppable {
  /** Executes at once, or again right after the execution under way. */
  wake(): void;
}

/** When something has changed soon after an execution, otherwise later. */
export interface Pace {
  /** Milliseconds from the end of one execution to the start of the next. */
  readonly leastMs: number;
  readonly mostMs: number;
  /** Calls back when something has changed. @returns ends that */
  subscribe(wake: () => void): () => void;
}

/**
 * @param pace milliseconds from the end of one execution to the start of the next, or a pace
 * @param name of the work, in the log
 * @param work its `signal` is aborted by `stop`
 */
export function repeat(
  pace: number | Pace,
  name: string,
  log: Log,
  work: (signal: AbortSignal) => Promise<unknown>,
): Repetition {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout;
  let execution: Promise<void> = Promise.resolve();
  let lastError: string | null = null;
  let isExecuting = false;
  let isWoken = false;
  let hasChanged = false;
  let endedAt = performance.now();
  const { leastMs, mostMs, subscribe } =
    typeof pace === 'number' ? { leastMs: pace, mostMs: pace, subscribe: () => () => {} } : pace;

  const execute = async (): Promise<void> => {
    isExecuting = true;
    isWoken = false;
    hasChanged = false;
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
    isExecuting = false;
    endedAt = performance.now();
    if (!stopping.signal.aborted) schedule(isWoken ? 0 : hasChanged ? leastMs : mostMs);
  };
  const schedule = (delay: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      execution = execute();
    }, delay);
  };
  schedule(leastMs);
  const unsubscribe = subscribe(() => {
    if (!isExecuting && !isWoken && !hasChanged) schedule(Math.max(0, endedAt + leastMs - performance.now()));
    hasChanged = true;
  });

  return {
    wake() {
      isWoken = true;
      if (!isExecuting && !stopping.signal.aborted) schedule(0);
    },
    stop() {
      stopping.abort();
      unsubscribe();
      clearTimeout(timer);
      return execution;
    },
  };
}
