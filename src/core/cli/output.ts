/** What commands print to stdout, whose reader may be slow, or leave, as `| head` does. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Output {
  /** Writes at once, however much waits already. Nothing once the reader has left. */
  write(text: string): void;
  /**
   * Writes a part of a long output. Back-pressure: waits until the reader has room for more.
   * @returns false once the reader has left
   */
  writePart(text: string): Promise<boolean>;
}

export function openOutput(stream: NodeJS.WritableStream): Output {
  // Not `stream.destroyed`: Node never destroys process.stdout.
  let isClosed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    isClosed = true;
  });
  return {
    write(text) {
      if (!isClosed) stream.write(text);
    },
    async writePart(text) {
      if (!isClosed && !stream.write(text)) await roomOrError(stream);
      // The error comes with the next turn of the event loop, which reads of SQLite do not wait for.
      await nextTurn();
      return !isClosed;
    },
  };
}

function roomOrError(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'error', 'close'] as const;
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
