/**
 * The command about those who read the feeds.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { readReaderStatistics } from '../feeds/readers/reader-statistics.ts';
import type { CliContext } from './context.ts';
import { describeReaders } from './describe-readers.ts';

const MOST_DAYS = 3_650;

export function addReaderCommands(program: Command, cli: CliContext): void {
  const { withApp: inNewsroom, print: say, clock } = cli;

  program
    .command('readers')
    .description('which readers fetch the feeds, how often, and how many subscribers they report')
    .option('--days <number>', 'so many days, today included', parseDays, 7)
    .option('--json', 'as JSON')
    .action(({ days, json }: { days: number; json?: boolean }) =>
      inNewsroom(async ({ store, config }) => {
        const { zone } = config.publication;
        const statistics = await readReaderStatistics(store.reports, { days, now: clock(), zone });
        say(json ? JSON.stringify(statistics, null, 2) : describeReaders(statistics));
      }),
    );
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,4}$/.test(text) && days >= 1 && days <= MOST_DAYS) return days;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_DAYS}.`);
}
