/**
 * The command `start`.
 */
import { once } from 'node:events';
import { type Command, Option } from 'commander';
import { hasAccounts } from '../../accounts/account.ts';
import { type CliContext, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import type { Log } from '../../lib/log.ts';
import { SECOND } from '../../lib/time.ts';
import { openDesk } from '../desk/routes.ts';
import { hasFailed } from '../first-run.ts';
import { ROLES, type Role, runOnce, start } from '../start.ts';
import { formatFirstRun } from './format-first-run.ts';

/** How long a process that must end may take to finish what is under way. */
const STOP_TIMEOUT = 60 * SECOND;

interface StartCommandOptions extends JsonOption {
  once?: boolean;
  role: readonly Role[];
}

export function addStartCommand(program: Command, cli: CliContext): void {
  program
    .command('start')
    .description('publish, compose and deliver what is due, serve the pages, and keep to the schedule')
    .option('--once', 'do what is due and end, without the server')
    .addOption(
      new Option('--role <role...>', 'only this part of the work, where several processes share it')
        .choices(ROLES)
        .default(ROLES, 'all'),
    )
    .addOption(jsonOption())
    .action((options: StartCommandOptions) => runStart(cli, options));
}

function runStart(cli: CliContext, options: StartCommandOptions): Promise<void> {
  return cli.withApp(
    async (app) => {
      const stop = AbortSignal.any([cli.stopSignal(), rejectionSignal(cli, app.log)]);
      const startOptions = {
        roles: options.role,
        stop,
        openDesk,
        onProgress: (progress: Parameters<typeof formatProgress>[0]) => cli.progress.show(formatProgress(progress)),
      };
      const context = { version: cli.version, now: app.clock(), url: null, metricsUrl: null, desk: null };
      if (options.once) {
        const value = await runOnce(app, startOptions);
        printResult(cli, options, { value, text: () => formatFirstRun(app, value, context) });
        if (hasFailed(value)) cli.fail();
        return;
      }
      const { url, metricsUrl, firstRun, checks, ...running } = await start(app, startOptions);
      const desk = options.role.includes('desk') ? { hasAccounts: await hasAccounts(app.store.db, app.clock()) } : null;
      printResult(cli, options, {
        value: { url, metricsUrl, checks, ...firstRun },
        text: () => formatFirstRun(app, { checks, ...firstRun }, { ...context, url, metricsUrl, desk }),
      });
      if (!stop.aborted) await once(stop, 'abort');
      app.log.info({}, 'stopping: finishing work under way');
      await running.stop();
    },
    options.once ? 'warn' : 'info',
  );
}

/**
 * The last resort for a promise that is rejected without a handler: a bug, after which daywire should not continue.
 * Logs it with its stack and returns the signal to stop as by SIGTERM, so that messages under way are recorded; the
 * exit code is 1, so that a supervisor starts daywire again.
 */
function rejectionSignal(cli: CliContext, log: Log): AbortSignal {
  const stopping = new AbortController();
  cli.onUnhandledRejection((reason) => {
    log.error({ error: reason instanceof Error ? reason.stack : String(reason) }, 'stopping: unhandled rejection');
    cli.fail();
    stopping.abort();
    // What was left in disorder may never end. Thrown from a timer, the reason ends the process.
    setTimeout(() => {
      throw reason;
    }, STOP_TIMEOUT).unref();
  });
  return stopping.signal;
}
