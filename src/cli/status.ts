/**
 * The command `status`.
 */
import type { Command } from 'commander';
import { readStatus } from '../app/status.ts';
import { type CliContext, type JsonOption, jsonOption, printResult } from './context.ts';
import { formatStatus } from './format/status.ts';

export function addStatusCommand(program: Command, cli: CliContext): void {
  program
    .command('status')
    .description('show articles, feeds, editions, deliveries, runs, and what was rejected or failed')
    .addOption(jsonOption())
    .action((options: JsonOption) =>
      cli.withApp(async (app) => {
        const value = await readStatus(app, app.clock());
        printResult(cli, options, { value, text: () => formatStatus(value) });
      }),
    );
}
