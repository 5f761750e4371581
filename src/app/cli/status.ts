/**
 * The command `status`.
 */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { sourceJson } from '../../sources/cli/format-sources.ts';
import { readStatus } from '../status.ts';
import { formatStatus } from './format-status.ts';

/** The exit code while an alert is open. */
const ALERT_OPEN = 3;

export function addStatusCommand(program: Command, cli: CliContext): void {
  program
    .command('status')
    .description('show alerts, processes, articles, feeds, editions, deliveries, runs, and what was rejected or failed')
    .addHelpText('after', `\nThe exit code is ${ALERT_OPEN} while an alert is open.`)
    .addOption(jsonOption())
    .action((options: JsonOption) =>
      cli.withApp(async (app) => {
        const status = await readStatus(app, app.clock());
        const value = { ...status, sources: status.sources.map(sourceJson) };
        printResult(cli, options, { value, text: () => formatStatus(status) });
        if (status.alerts.length > 0) cli.fail(ALERT_OPEN);
      }),
    );
}
