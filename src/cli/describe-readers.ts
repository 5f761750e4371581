/**
 * What the command line says of those who read the feeds.
 */

import type { Status } from '../app/status.ts';
import { type ReaderStatistics, totalOf } from '../feeds/readers/reader-statistics.ts';

/** What the numbers mean, and what nobody knows. */
const MEANING = [
  '"subscribers" is what aggregators report of themselves, summed over documents: who follows two feeds counts twice, and nobody can check it.',
  'Readers that poll by themselves (newsboat, NetNewsWire, browsers …) are seen by their requests alone: how many people these are is not known,',
  'for no addresses are kept. Nor is it known who reads a copy from a cache, or from feeds/ on a static host.',
  'Subscriptions at a WebSub hub are another matter, and not counted here.',
];

/** A table, its total, and how to read it. */
export function describeReaders(statistics: ReaderStatistics): string {
  const { from, until, days, readers } = statistics;
  if (readers.length === 0) return `no feed was asked for since ${from}: counts reach the store every 10 seconds`;
  const total = totalOf(readers);
  const rows = [
    ['reader', 'requests a day', 'answered 304', 'subscribers', 'documents'],
    ...readers.map((one) => [
      one.reader,
      aDay(one.requests / days),
      share(one),
      one.subscribers === null ? '' : String(one.subscribers),
      String(one.documents),
    ]),
    ['all', aDay(total.requests / days), share(total), String(total.subscribers), ''],
  ];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => (row[at] as string).length))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number)))
      .join('  '),
  );
  return [
    `feed requests from ${from} to ${until} (${days.toFixed(1)} days)`,
    ...lines.map((line) => `  ${line.trimEnd()}`),
    ...MEANING,
  ].join('\n');
}

/** One line of the status, or none where nothing was asked for. */
export function readerLines({ since, count, requests, unchanged, subscribers }: Status['readers']): string[] {
  if (requests === 0) return [];
  return [
    `asked for ${requests} times since ${since} by ${count} ${count === 1 ? 'reader' : 'readers'}, ` +
      `${share({ requests, unchanged })} answered 304; ${subscribers} subscribers reported ("daywire readers")`,
  ];
}

function aDay(requests: number): string {
  return requests.toFixed(requests < 10 ? 1 : 0);
}

function share({ requests, unchanged }: { requests: number; unchanged: number }): string {
  return `${Math.round((100 * unchanged) / Math.max(1, requests))}%`;
}
