/** The command `start`. */
import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { hasAccounts } from '../../accounts/account.ts';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import { displayPath, indent, record } from '../../core/cli/text.ts';
import { type Config, scheduleZone } from '../../core/config/config.ts';
import type { Run } from '../../core/schedule/run-ledger.ts';
import { nextSlot } from '../../core/schedule/slots.ts';
import { isUnavailable } from '../../core/store/outages.ts';
import { formatClosedEdition, formatDelivery } from '../../delivery/status/format-editions.ts';
import type { Log } from '../../lib/log.ts';
import { count } from '../../lib/text/count.ts';
import { datelineTime, SECOND } from '../../lib/time.ts';
import { openDesk } from '../desk/routes.ts';
import { type FirstRun, hasFailed } from '../first-run.ts';
import { ROLES, type Role, runOnce, type StartChecks, start } from '../start.ts';

/** How long a process that must end may take to finish what is under way. */
const STOP_TIMEOUT = 60 * SECOND;

interface StartCommandOptions extends JsonOption {
  once?: boolean;
  role: readonly Role[];
}

export function addStartCommand(program: Command, cli: CliContext): void {
  jsonCommand(program, 'start', 'publish, compose and deliver what is due, serve the pages, and keep to the schedule')
    .option('--once', 'do what is due and end, without the server')
    .addOption(
      new Option('--role <role...>', 'only this part of the work, where several processes share it')
        .choices(ROLES)
        .default(ROLES, 'all'),
    )
    .action((options: StartCommandOptions) => runStart(cli, options));
}

function runStart(cli: CliContext, options: StartCommandOptions): Promise<void> {
  const stopping = cli.stopSignal();
  return cli.withApp(
    async (app) => {
      // Such as that of a terminal that closes, or of a tool that rotates logs: there is nothing to reload.
      cli.onHangup(() => app.log.info({}, 'SIGHUP is ignored: restart daywire to read its configuration again'));
      const stop = AbortSignal.any([stopping, rejectionSignal(cli, app.log)]);
      const startOptions = {
        roles: options.role,
        stop,
        openDesk,
        onProgress: (progress: Parameters<typeof formatProgress>[0]) => cli.progress.show(formatProgress(progress)),
      };
      const context = { version: cli.version, now: app.clock(), url: null, metricsUrl: null, desk: null };
      if (options.once) {
        const value = await runOnce(app, startOptions);
        printResult(cli, options, value, () => formatFirstRun(app, value, context));
        if (hasFailed(value)) cli.fail();
        return;
      }
      const started = await start(app, startOptions).catch((error: unknown) => {
        if (!stopping.aborted || !isUnavailable(error)) throw error;
        return null;
      });
      if (started === null) return;
      const { url, metricsUrl, firstRun, checks, ...running } = started;
      // Only for a hint: the database may be away.
      const findAccounts = () => hasAccounts(app.store.db, app.clock()).catch(() => true);
      const desk = options.role.includes('desk') ? { hasAccounts: await findAccounts() } : null;
      printResult(cli, options, { url, metricsUrl, checks, ...firstRun }, () =>
        formatFirstRun(app, { checks, ...firstRun }, { ...context, url, metricsUrl, desk }),
      );
      if (!stop.aborted) await once(stop, 'abort');
      app.log.info({}, 'stopping: finishing work under way');
      await running.stop();
    },
    options.once ? 'error' : 'info',
    !options.once,
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
    // Work that was interrupted may never end. Thrown from a timer, the reason ends the process.
    setTimeout(() => {
      throw reason;
    }, STOP_TIMEOUT).unref();
  });
  return stopping.signal;
}

export interface FirstRunContext {
  version: string;
  now: number;
  /** Null without a server. */
  url: string | null;
  metricsUrl: string | null;
  /** Whether this process serves the desk, and anybody can sign in there; null: it does not. */
  desk: { hasAccounts: boolean } | null;
}

export function formatFirstRun(
  { config, store }: AppContext,
  { checks, sample, imported, polled, published, edition, runs, delivered }: FirstRun & StartChecks,
  context: FirstRunContext,
): string {
  const lines: [name: string, text: string][] = [['store', displayPath(store.location)]];
  for (const { kind, message } of checks) lines.push([kind, message]);
  if (sample !== null) {
    const loaded = `loaded ${sample.articles} sample articles and ${sample.subscribers} subscribers`;
    lines.push(['sample', `the store was empty: ${loaded}${rejectedNote(sample.rejected)}`]);
  }
  if (imported !== null) {
    const { added, updated, rejected } = imported;
    lines.push(['import', `${added} added, ${updated} updated${rejectedNote(rejected)}`]);
  }
  for (const { source, text } of polled) lines.push(['source', `${source}: ${text}`]);
  if (published !== null) {
    const changed = `${published.changed} of ${count(published.documents, 'document')} changed`;
    const index = join(displayPath(config.paths.feeds), 'index.html');
    const rejected = published.rejected > 0 ? `; ${published.rejected} articles rejected` : '';
    lines.push([
      'feeds',
      `${count(config.feeds.length, 'feed')} in three formats, ${changed}; open ${index}${rejected}`,
    ]);
  }
  if (edition !== null) {
    const text = edition.kind === 'closed' ? formatClosedEdition(edition, config) : `none: ${edition.reason}`;
    lines.push(['edition', text]);
  }
  for (const text of runLines(runs, { withoutDone: edition !== null }, config)) lines.push(['run', text]);
  if (delivered !== null) {
    const folder = config.delivery.transport === 'file' ? ` in ${join(displayPath(config.paths.data), 'mail')}` : '';
    lines.push(['delivery', formatDelivery(delivered) + folder]);
  }
  for (const { id, schedule } of config.newsletters) {
    if (schedule === null) continue;
    const { zone } = config.publication;
    const next = nextSlot(schedule.cron, scheduleZone(schedule, config.publication), context.now);
    if (next !== null) lines.push(['next', `${id} on ${datelineTime(next, zone)} (${zone})`]);
  }
  if (context.metricsUrl !== null) lines.push(['metrics', `${context.metricsUrl}metrics`]);
  if (context.url !== null && context.desk !== null) {
    const first = 'for the first account: npx daywire accounts invite ADDRESS --role admin';
    lines.push(['desk', `${context.url}desk${context.desk.hasAccounts ? '' : `; ${first}`}`]);
  }
  if (context.url !== null) lines.push(['pages', `${context.url} (Ctrl-C stops)`]);
  return [`daywire ${context.version}: ${config.publication.name}`, ...indent(record(lines))].join('\n');
}

/** The newest run of each schedule and state: after a long downtime there may be hundreds. */
function runLines(runs: Run[], { withoutDone }: { withoutDone: boolean }, config: Config): string[] {
  return [...Map.groupBy(runs, (run) => `${run.schedule} ${run.state}`).values()].flatMap((alike) => {
    const newest = alike.at(-1);
    if (newest === undefined || (withoutDone && newest.state === 'done')) return [];
    const { schedule, slotAt, state, reason } = newest;
    const others = alike.length === 1 ? '' : `, and ${count(alike.length - 1, 'slot')} before it`;
    const time = datelineTime(slotAt, config.publication.zone);
    return [`${schedule} of ${time}: ${state}${reason === null ? '' : ` (${reason})`}${others}`];
  });
}

function rejectedNote(rejected: number): string {
  return rejected === 0 ? '' : `, ${rejected} rejected: see "daywire rejected list"`;
}
