/**
 * Commands about editions: composing them, and controlling their delivery.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AppContext } from '../app/app-context.ts';
import { composeNow } from '../app/compose.ts';
import { cancel, readEditionDetails, resume, summariseEditions } from '../app/editions.ts';
import { sendTestCopy, writePreview } from '../app/preview.ts';
import { publish } from '../app/publish.ts';
import { pauseEdition, settleDelivery } from '../delivery/control/edition-control.ts';
import { listEditions } from '../editions/queries.ts';
import { findSubscriberByAddress } from '../subscribers/subscriptions.ts';
import {
  type CliContext,
  CommandError,
  editionNamed,
  type JsonOption,
  jsonOption,
  newsletterNamed,
  printResult,
} from './context.ts';
import { formatClosedEdition, formatEditionDetails, formatEditions } from './format/editions.ts';

const DEFAULT_REASON = 'by the operator';

interface ComposeOptions extends JsonOption {
  slot?: string;
  test?: string;
}

/** `fullName`: such as daily-roundup/2026-11-24. */
type NamedEdition = Awaited<ReturnType<typeof editionNamed>> & { fullName: string };

interface PreviewOptions extends JsonOption {
  slot?: string;
  text?: boolean;
}

export function addEditionCommands(program: Command, cli: CliContext): void {
  program
    .command('compose')
    .description("compose and close a newsletter's edition now, and queue its deliveries")
    .argument('<newsletter>', 'its id')
    .option('--slot <slot>', 'such as 2026-11-24; default: the next one of today')
    .option('--test <address>', 'mail a marked copy to that address instead; nothing is closed or recorded')
    .addOption(jsonOption())
    .action((id: string, options: ComposeOptions) =>
      options.test === undefined ? compose(cli, id, options) : mailTestCopy(cli, id, options.test, options),
    );

  program
    .command('preview')
    .description('write the edition that would go out now as HTML and text, and print the path of the HTML')
    .argument('<newsletter>', 'its id')
    .option('--slot <slot>', 'such as 2026-11-24; default: the next edition')
    .option('--text', 'print the text version')
    .addOption(jsonOption().conflicts('text'))
    .action((id: string, options: PreviewOptions) => previewEdition(cli, id, options));

  const editions = program.command('editions').description('list and show editions; control their delivery');
  editions
    .command('list')
    .description('list the newest editions')
    .option('--newsletter <id>', 'only editions of this newsletter')
    .option('--limit <number>', 'number of editions', parseLimit, 20)
    .addOption(jsonOption())
    .action(({ newsletter, limit, ...options }: JsonOption & { newsletter?: string; limit: number }) =>
      cli.withApp(async (app) => {
        if (newsletter !== undefined) newsletterNamed(app.config, newsletter);
        const value = await summariseEditions(app, await listEditions(app.store.db, newsletter ?? null, limit));
        printResult(cli, options, { value, text: () => formatEditions(value) });
      }),
    );
  addEditionCommand('show', 'show an edition: its articles, deliveries and failures')
    .addOption(jsonOption())
    .action((name: string, options: JsonOption) =>
      withEdition(cli, name, async (app, edition) => {
        const value = await readEditionDetails(app, edition);
        printResult(cli, options, { value, text: () => formatEditionDetails(value) });
      }),
    );
  addEditionCommand('pause', 'submit no further deliveries until the edition is resumed')
    .option('--reason <text>', 'recorded with the pause', DEFAULT_REASON)
    .addOption(jsonOption())
    .action((name: string, { reason, ...options }: JsonOption & { reason: string }) =>
      withEdition(cli, name, async (app, edition) => {
        await pauseEdition(app.store.db, edition.id, reason);
        const { fullName } = edition;
        await printChange(app, edition, options, `is paused; continue with "daywire editions resume ${fullName}"`);
      }),
    );
  addEditionCommand('resume', 'continue the deliveries of a paused edition')
    .addOption(jsonOption())
    .action((name: string, options: JsonOption) =>
      withEdition(cli, name, async (app, edition) => {
        await resume(app, edition.id);
        await printChange(app, edition, options, 'is resumed');
      }),
    );
  addEditionCommand('cancel', 'never submit the pending deliveries')
    .option('--reason <text>', 'recorded with the cancellation', DEFAULT_REASON)
    .addOption(jsonOption())
    .action((name: string, { reason, ...options }: JsonOption & { reason: string }) =>
      withEdition(cli, name, async (app, edition) => {
        const cancelled = await cancel(app, edition.id, reason);
        const change = `is cancelled: ${cancelled} pending deliveries will not be submitted`;
        await printChange(app, edition, options, change);
      }),
    );
  addEditionCommand('settle', 'record the outcome of an uncertain delivery')
    .argument('<address>', "the subscriber's address")
    .addOption(
      new Option('--as <outcome>', 'submitted: it was submitted; retry: submit it again')
        .choices(['submitted', 'retry'])
        .makeOptionMandatory(),
    )
    .addOption(jsonOption())
    .action((name: string, address: string, options: JsonOption & { as: 'submitted' | 'retry' }) =>
      withEdition(cli, name, async (app, edition) => {
        const { store, clock } = app;
        const subscriber = await findSubscriberByAddress(store.db, address);
        if (subscriber === null) throw new CommandError(`${address}: there is no such subscriber`);
        await settleDelivery(store.db, edition.id, subscriber.id, options.as, clock());
        const outcome = options.as === 'submitted' ? 'recorded as submitted' : 'pending again';
        await printChange(app, edition, options, `for ${address}: ${outcome}`);
      }),
    );

  /** Prints the status of the edition after the change where `--json` was given, else what has changed. */
  async function printChange(app: AppContext, edition: NamedEdition, options: JsonOption, change: string) {
    const [value] = await summariseEditions(app, [edition]);
    printResult(cli, options, { value, text: () => `${edition.fullName} ${change}` });
  }

  function addEditionCommand(verb: string, description: string): Command {
    return editions
      .command(verb)
      .description(description)
      .argument('<edition>', 'such as daily-roundup/2026-11-24, or its slot where only one newsletter has it');
  }
}

function compose(cli: CliContext, id: string, options: ComposeOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const outcome = await composeNow(app, newsletterNamed(app.config, id), options.slot);
    if (outcome.kind === 'skipped') throw new CommandError(`${id}: no edition: ${outcome.reason}`);
    const { edition, queued, isNew } = outcome;
    const [status] = await summariseEditions(app, [edition]);
    printResult(cli, options, {
      value: { ...status, queued, isNew },
      text: () => formatClosedEdition(outcome, app.config),
    });
    await publish(app);
  });
}

function mailTestCopy(cli: CliContext, id: string, to: string, options: ComposeOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const outcome = await sendTestCopy(app, newsletterNamed(app.config, id), { to, slot: options.slot });
    if (outcome.kind === 'skipped') throw new CommandError(`${id}: nothing to mail: ${outcome.reason}`);
    printResult(cli, options, {
      value: { to, reply: outcome.reply },
      text: () => `submitted a test copy to ${to}: ${outcome.reply}`,
    });
  });
}

function previewEdition(cli: CliContext, id: string, options: PreviewOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const outcome = await writePreview(app, newsletterNamed(app.config, id), options.slot);
    if (outcome.kind === 'skipped') throw new CommandError(`${id}: nothing to preview: ${outcome.reason}`);
    const { composed, htmlPath, textPath, text } = outcome;
    const { newsletter, slot, number, headline, subject, preheader, articles, didNotFit } = composed;
    printResult(cli, options, {
      value: {
        ...{ newsletter, slot, number, headline, subject, preheader },
        articles: articles.map(({ articleId, block }) => ({ id: articleId, block })),
        didNotFit,
        ...{ htmlPath, textPath },
      },
      text: () => (options.text ? text.trimEnd() : htmlPath),
    });
  });
}

function withEdition(
  cli: CliContext,
  name: string,
  work: (app: AppContext, edition: NamedEdition) => Promise<void>,
): Promise<void> {
  return cli.withApp(async (app) => {
    const edition = await editionNamed(app.store.db, app.config, name);
    await work(app, { ...edition, fullName: `${edition.newsletter}/${edition.slot}` });
  });
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 1 or more.');
}
