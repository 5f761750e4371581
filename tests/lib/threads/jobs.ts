/** Functions that the tests run in threads and child processes. */
import { threadId } from 'node:worker_threads';

export function double(number: number): number {
  return 2 * number;
}

/** Of the thread or process that runs it. */
export function thread(): string {
  return `${process.pid}.${threadId}`;
}

export function fail(message: string): never {
  throw new RangeError(message);
}

/** Blocks its thread for ever. */
export function spin(): never {
  for (;;);
}

/** Ends its thread, as a lack of memory does. */
export function end(): never {
  process.exit(1);
}

export function argumentOf(argument: unknown): unknown {
  return argument;
}
