import type { Log } from '../../src/lib/log.ts';

export interface TestLog extends Log {
  /** One line for each record, with its details as JSON. */
  lines: string[];
}

/** A log that keeps its records. */
export function openTestLog(): TestLog {
  const lines: string[] = [];
  const keep = (details: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(details)}`);
  };
  return { lines, debug: keep, info: keep, warn: keep, error: keep };
}
