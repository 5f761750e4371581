/**
 * Work that is done again and again while daywire runs. One round at a time; a round that throws is logged, once for each
 * trouble, and does not end it.
 */
import type { Log } from '../lib/log.ts';

export interface Repeated {
  /** Ends it, after the round that is under way. */
  stop(): Promise<void>;
}

/**
 * @param everyMs from the end of one round to the beginning of the next
 * @param what names the work in the log
 */
export function repeat(everyMs: number, what: string, log: Log, round: () => Promise<void>): Repeated {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let underWay: Promise<void> = Promise.resolve();
  let trouble: string | null = null;
  const done = (error: string | null): void => {
    // Said once, and not four times a second for as long as the database is away.
    if (error !== null && error !== trouble) log.error({ error }, `${what} failed; it is tried again`);
    if (error === null && trouble !== null) log.info({}, `${what} works again`);
    trouble = error;
    if (!stopped) next();
  };
  const next = (): void => {
    timer = setTimeout(() => {
      underWay = round().then(
        () => done(null),
        (error: unknown) => done(String(error)),
      );
    }, everyMs);
  };
  next();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      return underWay;
    },
  };
}
