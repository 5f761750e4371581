/**
 * One line that is rewritten while long work goes on: on a terminal alone, never in a pipe.
 */

export interface Progress {
  /** Shows `text`, at most ten times a second. */
  show(text: string): void;
  /** Wipes the line, so that what is printed next stands on its own. */
  clear(): void;
}

const SILENT: Progress = { show: () => {}, clear: () => {} };

/** @param stream usually stderr, so that stdout stays clean */
export function openProgress(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return SILENT;
  let shownAt = 0;
  let shown = false;
  return {
    show(text) {
      const now = performance.now();
      if (now - shownAt < 100) return;
      shownAt = now;
      shown = true;
      stream.write(`\r\u001b[2K${text.slice(0, (stream.columns || 80) - 1)}`);
    },
    clear() {
      if (shown) stream.write('\r\u001b[2K');
      shown = false;
    },
  };
}
