/** Commands about deliveries and bounces. */
import type { Command } from 'commander';
import { type CliContext, CommandError, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import { correctFutureInstants } from '../../core/store/future-instants.ts';
import { listUnfinishedEditions } from '../../editions/queries.ts';
import { count } from '../../lib/text/count.ts';
import { rfc3339 } from '../../lib/time.ts';
import { handleIncomingMail, INCOMING_LIMIT } from '../bounces/mail.ts';
import { release } from '../control/operator-control.ts';
import { deliverDue } from '../deliver-due.ts';
import { closeHold, NOBODY_TO_TRY, tryHold } from '../holds/control-holds.ts';
import { providerNamed, providerTitle } from '../holds/provider-holds.ts';
import { needsOperator, readRunDetails, startRunDetails } from '../monitor/run-details.ts';
import { RateWatch, startWatchingRates } from '../rates/watch-rates.ts';
import { editionName, summariseEditions } from '../status/edition-status.ts';
import { formatDelivery, formatEdition, formatRunDetails } from '../status/format-editions.ts';
import { queueLines, readQueueStatus } from '../status/queue-status.ts';

/** sysexits.h EX_TEMPFAIL: a mail server keeps the message and runs its pipe again. */
const TRY_AGAIN = 75;

export function addDeliveryCommands(program: Command, cli: CliContext): void {
  jsonCommand(program, 'deliver', 'deliver what is due').action((options: JsonOption) => deliver(cli, options));

  const queue = program.command('queue').description('show or release the delivery queue');
  jsonCommand(queue, 'show', 'show whether the queue is held, what is due, and the editions under delivery').action(
    (options: JsonOption) => showQueue(cli, options),
  );
  jsonCommand(queue, 'release', 'release the held queue of a restored store, or what waits for a mailbox provider')
    .argument('[provider]', HELD_PROVIDER)
    .option('--dry-run', 'only show what waits for it')
    .action((provider: string | undefined, options: HoldOptions) =>
      provider === undefined ? releaseQueue(cli, options) : decideHold(cli, 'release', provider, options),
    );
  for (const [verb, what] of [
    ['suppress', 'suppress those who wait with a hard bounce at a mailbox provider, and release the rest'],
    ['try', 'submit one message to a mailbox provider for which others wait'],
  ] as const) {
    jsonCommand(queue, verb, what)
      .argument('<provider>', HELD_PROVIDER)
      .option('--dry-run', 'only show what it would do')
      .action((provider: string, options: HoldOptions) => decideHold(cli, verb, provider, options));
  }

  program
    .command('bounce')
    .description('process one bounced message on stdin, for the pipe of a mail server')
    .option('--to <address>', 'the recipient of the message', cli.env.ORIGINAL_RECIPIENT ?? cli.env.RECIPIENT)
    .action(({ to }: { to?: string }) => processBounce(cli, to));
}

const HELD_PROVIDER = 'such as gmail or gmail.com; "queue show" lists them';

type HoldOptions = JsonOption & { dryRun?: boolean };

function releaseQueue(cli: CliContext, { dryRun, ...options }: HoldOptions): Promise<void> {
  if (dryRun)
    throw new CommandError('--dry-run is for a mailbox provider: "queue show" shows whether the queue is held');
  return cli.withApp(async (app) => {
    const released = await release(app);
    const text = (): string => (released ? 'the queue is released' : 'the queue was not held');
    printResult(cli, options, { released }, text);
  });
}

function decideHold(
  cli: CliContext,
  verb: 'try' | 'release' | 'suppress',
  named: string,
  { dryRun = false, ...options }: HoldOptions,
): Promise<void> {
  return cli.withApp(async (app) => {
    const act = { provider: providerNamed(named), isDryRun: dryRun };
    const would = dryRun ? 'would be' : 'will be';
    if (verb === 'try') {
      const tried = await tryHold(app, act);
      if (tried === null) throw new CommandError(NOBODY_TO_TRY);
      const name = await editionName(app.store.db, tried.editionId);
      printResult(cli, options, { ...tried, dryRun }, () => `${name} ${would} submitted to ${tried.email}`);
      return;
    }
    const hold = await closeHold(app, verb, act);
    const people = `${count(hold.bounced, 'subscriber')} with a hard bounce ${would} `;
    printResult(cli, options, { ...hold, dryRun }, () =>
      [
        `${count(hold.waiting, 'delivery', 'deliveries')} to ${providerTitle(hold.provider)} ${would} submitted`,
        ...(hold.bounced === 0 ? [] : [people + (verb === 'suppress' ? 'suppressed' : 'mailed again')]),
      ].join('; '),
    );
  });
}

function deliver(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    await correctFutureInstants(app.store.db, app.clock());
    const before = await startRunDetails(app);
    const rates = new RateWatch(app);
    const watching = startWatchingRates(app, rates);
    const report = await deliverDue(app, {
      signal: cli.stopSignal(),
      probeNow: true,
      onProgress: (progress) => cli.progress.show(formatProgress({ kind: 'delivering', report: progress })),
    }).finally(() => watching.stop());
    await rates.look();
    const details = await readRunDetails(app, before, report);
    const retryAt = report.retryAt === undefined ? null : rfc3339(report.retryAt);
    printResult(cli, options, { ...report, retryAt, ...details }, () =>
      [formatDelivery(report), ...formatRunDetails(details)].join('\n'),
    );
    if (needsOperator(report) || rates.hasPaused) cli.fail();
  });
}

function showQueue(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const now = app.clock();
    const queue = await readQueueStatus(app, now);
    const editions = await summariseEditions(app, await listUnfinishedEditions(app.store.db));
    printResult(
      cli,
      options,
      { ...queue, editions },
      () => [...queueLines(queue, rfc3339(now)), ...editions.map(formatEdition)].join('\n') || 'the queue is empty',
    );
  });
}

async function processBounce(cli: CliContext, to: string | undefined): Promise<void> {
  const message = await cli.readInput(INCOMING_LIMIT);
  try {
    await cli.withApp(async ({ store, config, keys, clock }) => {
      const secrets = await keys.signingSecrets();
      const outcome = await handleIncomingMail(store, config, secrets, message, { envelopeTo: to }, clock());
      cli.print(outcome.description);
    });
  } catch (error) {
    cli.printError((error as Error).message);
    cli.fail(TRY_AGAIN);
  }
}
