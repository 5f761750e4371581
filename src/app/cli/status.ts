/**
 * The command `status`.
 */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { readStatus } from '../status.ts';
import { formatStatus } from './format-status.ts';

/** The exit code while an alert is open. */
const ALERT_OPEN = 3;

export function addCommands(program: Command, cli: CliContext): void {
  program
    .command('status')
    .description('show alerts, processes, articles, feeds, editions, deliveries, runs, and what was rejected or failed')
    .addHelpText('after', `\nThe exit code is ${ALERT_OPEN} while an alert is open.`)
    .addOption(jsonOption())
    .action((options: JsonOption) =>
      cli.withApp(async (app) => {
        const value = await readStatus(app, app.clock());
        printResult(cli, options, { value, text: () => formatStatus(value) });
        if (value.alerts.length > 0) cli.fail(ALERT_OPEN);
      }),
    );
}
