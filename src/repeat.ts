/**
 * Work that is done again and again while daywire runs. One round at a time; a round that throws is logged and does not end it.
 */
import type { Log } from './log.ts';

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
  const next = (): void => {
    timer = setTimeout(() => {
      underWay = round()
        .catch((error: unknown) => log.error({ error: String(error) }, `${what} failed; it is tried again`))
        .then(() => {
          if (!stopped) next();
        });
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
