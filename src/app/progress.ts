/**
 * One line that is rewritten while long work goes on: on a terminal alone, never in a pipe.
 */
import type { DeliveryReport } from '../delivery/deliver.ts';

export interface Progress {
  /** Shows `text`, at most ten times a second. */
  show(text: string): void;
  /** Wipes the line, so that what is printed next stands on its own. */
  clear(): void;
}

const SILENT: Progress = { show: () => {}, clear: () => {} };

/** @param stream usually stderr, so that stdout stays clean */
export function openProgress(stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }): Progress {
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

/** What stands on a terminal while an import is under way. */
export function describeImporting({
  read,
  bytes,
  totalBytes,
}: {
  read: number;
  bytes: number;
  totalBytes: number;
}): string {
  return `importing: ${read} articles, ${Math.floor((100 * bytes) / Math.max(totalBytes, 1))}%`;
}

/** What stands there while archives of feeds grow. */
export function describeArchiving(closed: number): string {
  return `archiving: ${closed} parts closed`;
}

/** What stands there while messages go out. */
export function describeDelivering({ submitted, deferred, failed }: Readonly<DeliveryReport>): string {
  return `delivering: ${submitted} submitted, ${deferred} deferred, ${failed} failed`;
}

/** What stands there while subscribers are imported: a bar, and counts. */
export function describeSubscriberImport(so: {
  rows: number;
  rejected: number;
  bytes: number;
  totalBytes: number;
}): string {
  const done = Math.min(so.bytes / Math.max(so.totalBytes, 1), 1);
  return `importing ${bar(done)} ${so.rows} rows${so.rejected > 0 ? `, ${so.rejected} rejected` : ''}`;
}

const BAR_WIDTH = 24;

function bar(done: number): string {
  const full = Math.round(done * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${String(Math.floor(done * 100)).padStart(3)}%`;
}
