/**
 * Text output about feeds and who reads them.
 */

import type { Status } from '../../app/status.ts';
import { count, displayPath, table } from '../../core/cli/text.ts';
import type { Config } from '../../core/config/config.ts';
import type { FeedSummary } from '../feed-states.ts';
import type { PublishResult } from '../publish/publish.ts';
import { type ReaderStatistics, totalOf } from '../readers/reader-statistics.ts';

export function formatPublish({ documents, archives }: PublishResult, config: Config): string {
  const changed = documents.filter((document) => document.changed).map((document) => document.path);
  const names = changed.length === 0 || changed.length > 6 ? '' : `: ${changed.join(', ')}`;
  const pages = archives.closed === 0 ? '' : `; ${count(archives.closed, 'archive page')} closed`;
  const more = archives.more ? '; more archive pages are due: "daywire publish" or a running daywire continues' : '';
  const folder = displayPath(config.paths.feeds);
  if (documents.length === 0) return `no feed shows what has changed${pages}${more}`;
  return `${changed.length} of ${count(documents.length, 'document')} changed in ${folder}${names}${pages}${more}`;
}

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
      share(one),
      one.subscribers === null ? '' : String(one.subscribers),
      String(one.documents),
    ]),
    ['all', perDay(total.requests / days), share(total), String(total.subscribers), ''],
  ]);
  return [
    `feed requests from ${from} to ${until} (${days.toFixed(1)} days)`,
    ...lines.map((line) => `  ${line}`),
    EXPLANATION,
  ].join('\n');
}

/** One line of the status; none where no feed was requested. */
export function formatReaderSummary({
  since,
  count: readers,
  requests,
  unchanged,
  subscribers,
}: Status['readers']): string[] {
  if (requests === 0) return [];
  return [
    `${count(requests, 'request')} since ${since} by ${count(readers, 'reader')}, ` +
      `${share({ requests, unchanged })} answered 304; ${subscribers} subscribers reported ("daywire feeds readers")`,
  ];
}

function perDay(requests: number): string {
  return requests.toFixed(requests < 10 ? 1 : 0);
}

function share({ requests, unchanged }: { requests: number; unchanged: number }): string {
  return `${Math.round((100 * unchanged) / Math.max(1, requests))}%`;
}
