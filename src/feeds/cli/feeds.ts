/**
 * Commands about feeds.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { type CliContext, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import { listFeeds } from '../feed-states.ts';
import { formatPublish } from '../publish/format-publish.ts';
import { publish } from '../publish/publish.ts';
import { readReaderStatistics } from '../readers/reader-statistics.ts';
import { formatFeeds, formatReaders } from './format-feeds.ts';

const MAX_DAYS = 3_650;

export function addFeedCommands(program: Command, cli: CliContext): void {
  program
    .command('publish')
    .description('publish all feeds now')
    .addOption(jsonOption())
    .action((options: JsonOption) => publishFeeds(cli, options));

  const feeds = program.command('feeds').description('list feeds and who reads them');
  feeds
    .command('list')
    .description('list the feeds of the configuration and their documents')
    .addOption(jsonOption())
    .action((options: JsonOption) =>
      cli.withApp(async (app) => {
        const value = await listFeeds(app);
        printResult(cli, options, { value, text: () => formatFeeds(value) });
      }),
    );
  feeds
    .command('readers')
    .description('list the feed readers that fetch the feeds, how often, and the subscribers they report')
    .option('--days <number>', 'number of days, today included', parseDays, 7)
    .addOption(jsonOption())
    .action(({ days, ...options }: JsonOption & { days: number }) =>
      cli.withApp(async ({ store, config, clock }) => {
        const { zone } = config.publication;
        const value = await readReaderStatistics(store.reports, { days, now: clock(), zone });
        printResult(cli, options, { value, text: () => formatReaders(value) });
      }),
    );
}

function publishFeeds(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const result = await publish(app, {
      signal: cli.stopSignal(),
      onProgress: (closed) => cli.progress.show(formatProgress({ kind: 'archiving', closed })),
    });
    for (const { feed, articleId, problem } of result.rejected) cli.printError(`${feed}: ${articleId}: ${problem}`);
    printResult(cli, options, { value: result, text: () => formatPublish(result, app.config) });
    if (result.rejected.length > 0) cli.fail();
  });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,4}$/.test(text) && days >= 1 && days <= MAX_DAYS) return days;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_DAYS}.`);
}
