/** Commands about feeds. */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { indent, table } from '../../core/cli/text.ts';
import { rfc3339 } from '../../lib/time.ts';
import { type PublishedFeed, readFeedStates } from '../feed-states.ts';
import { formatPublish } from '../publish/format-publish.ts';
import { publish } from '../publish/publish.ts';
import {
  type ReaderStatistics,
  readReaderStatistics,
  totalOf,
  unchangedPercent,
} from '../readers/reader-statistics.ts';

export function addFeedCommands(program: Command, cli: CliContext): void {
  jsonCommand(program, 'publish', 'publish all feeds now').action((options: JsonOption) => publishFeeds(cli, options));

  const feeds = program.command('feeds').description('list feeds and who reads them');
  jsonCommand(feeds, 'list', 'list the feeds of the configuration and their documents').action((options: JsonOption) =>
    cli.withApp(async (app) => {
      const value = await readFeedStates(app);
      printResult(cli, options, value, () => formatFeeds(value));
    }),
  );
  jsonCommand(
    feeds,
    'readers',
    'list the feed readers of the last seven days, how often they fetch the feeds, and the subscribers they report',
  ).action((options: JsonOption) =>
    cli.withApp(async ({ store, config, clock }) => {
      const value = await readReaderStatistics(store.reports, { now: clock(), zone: config.publication.zone });
      printResult(cli, options, value, () => formatReaders(value));
    }),
  );
}

function publishFeeds(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const result = await publish(app, cli.stopSignal());
    for (const { feed, articleId, problem } of result.rejected) cli.printError(`${feed}: ${articleId}: ${problem}`);
    printResult(cli, options, result, () => formatPublish(result, app.config));
    if (result.rejected.length > 0) cli.fail();
  });
}

function formatFeeds(feeds: PublishedFeed[]): string {
  return table([
    ['feed', 'bytes', 'changed', 'title'],
    ...feeds.map(({ id, title, formats }) => {
      const changedAt = Math.max(...formats.map(({ modifiedAt }) => modifiedAt ?? 0));
      return [
        id,
        String(formats.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)),
        changedAt === 0 ? 'not published yet' : rfc3339(changedAt),
        title,
      ];
    }),
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
