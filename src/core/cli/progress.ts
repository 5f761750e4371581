/** One line that is rewritten during long work; only on a terminal. */

/** How far long work is. */
export type WorkProgress =
  /** The file of the store is rewritten, so that nothing of erased addresses remains in it. */
  | { kind: 'vacuuming' }
  | { kind: 'importing'; read: number; bytes: number; totalBytes: number }
  | { kind: 'delivering'; report: Readonly<Record<'submitted' | 'deferred' | 'failed', number>> };

export interface ProgressLine {
  /** Shows `text`, at most ten times a second. */
  show(text: string): void;
  /** Erases the line. */
  clear(): void;
}

/** @param stream usually stderr, so that stdout stays clean */
export function openProgress(stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }): ProgressLine {
  if (!stream.isTTY) return { show() {}, clear() {} };
  let shownAt = 0;
  let isShown = false;
  return {
    show(text) {
      const now = performance.now();
      if (now - shownAt < 100) return;
      shownAt = now;
      isShown = true;
      stream.write(`\r\u001b[2K${text.slice(0, (stream.columns || 80) - 1)}`);
    },
    clear() {
      if (isShown) stream.write('\r\u001b[2K');
      isShown = false;
    },
  };
}

export function formatProgress(progress: WorkProgress): string {
  switch (progress.kind) {
    case 'vacuuming':
      return 'rewriting the file of the store, once …';
    case 'importing':
      return `importing ${bar(progress)} ${progress.read} articles`;
    case 'delivering': {
      const { submitted, deferred, failed } = progress.report;
      return `delivering: ${submitted} submitted, ${deferred} deferred, ${failed} failed`;
    }
  }
}

export function formatSubscriberProgress(progress: {
  rows: number;
  rejected: number;
  bytes: number;
  totalBytes: number;
}): string {
  const { rows, rejected } = progress;
  return `importing ${bar(progress)} ${rows} rows${rejected > 0 ? `, ${rejected} rejected` : ''}`;
}

const BAR_WIDTH = 24;

function bar({ bytes, totalBytes }: { bytes: number; totalBytes: number }): string {
  const share = Math.min(bytes / Math.max(totalBytes, 1), 1);
  const full = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
}
