/**
 * Text output about feeds and who reads them.
 */
import { indent, table } from '../../core/cli/text.ts';
import type { FeedSummary } from '../feed-states.ts';
import { type ReaderStatistics, totalOf, unchangedPercent } from '../readers/reader-statistics.ts';

export function formatFeeds(feeds: FeedSummary[]): string {
  if (feeds.length === 0) return 'the configuration has no feeds';
  return table([
    ['feed', 'documents', 'bytes', 'archive pages', 'changed', 'title'],
    ...feeds.map(({ id, title, documents, archivePages, changed }) => [
      id,
      String(documents.length),
      String(documents.reduce((sum, { bytes }) => sum + bytes, 0)),
      archivePages === null ? '' : String(archivePages),
      changed ?? 'not published yet',
      title,
    ]),
  ]).join('\n');
}

const EXPLANATION = `
"subscribers" is what aggregators report, summed over documents. Nobody can check it, and a person who follows
two feeds counts twice. Readers that poll by themselves (newsboat, NetNewsWire, browsers) report nothing. No
addresses are kept, so the number of people behind them is unknown. Copies from a cache or a static host, and
subscriptions at a WebSub hub, are not counted.`;

/** A table with its total. */
export function formatReaders({ from, until, days, readers }: ReaderStatistics): string {
  if (readers.length === 0) return `no feed was requested since ${from}: counts reach the store every 10 seconds`;
  const total = totalOf(readers);
  const lines = table([
    ['reader', 'requests a day', 'answered 304', 'subscribers', 'documents'],
    ...readers.map((one) => [
      one.reader,
      perDay(one.requests / days),
      `${unchangedPercent(one)}%`,
      one.subscribers === null ? '' : String(one.subscribers),
      String(one.documents),
    ]),
    ['all', perDay(total.requests / days), `${unchangedPercent(total)}%`, String(total.subscribers), ''],
  ]);
  return [`feed requests from ${from} to ${until} (${days.toFixed(1)} days)`, ...indent(lines), EXPLANATION].join('\n');
}

function perDay(requests: number): string {
  return requests.toFixed(requests < 10 ? 1 : 0);
}
