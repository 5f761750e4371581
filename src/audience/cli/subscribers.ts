/** Commands about subscribers. */
import { type FileHandle, open } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { sql } from 'kysely';
import { CONSOLE } from '../../accounts/account.ts';
import { type AuditedAct, auditAct } from '../../accounts/audit.ts';
import type { AppContext } from '../../core/app-context.ts';
import {
  type CliContext,
  CommandError,
  type JsonOption,
  jsonCommand,
  newsletterNamed,
  printResult,
} from '../../core/cli/context.ts';
import { BY, type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { formatSubscriberProgress } from '../../core/cli/progress.ts';
import { formatJson } from '../../core/cli/text.ts';
import type { Config } from '../../core/config/config.ts';
import { inTransaction } from '../../core/store/store.ts';
import { SUPPRESSION_REASONS, type SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { submittedDeliveries } from '../../delivery/bounces/record.ts';
import { isAtProvider } from '../../delivery/holds/provider-holds.ts';
import { parseAddress } from '../../lib/address.ts';
import { count } from '../../lib/text/count.ts';
import { rfc3339 } from '../../lib/time.ts';
import { parseWrittenInstant } from '../../lib/written-date.ts';
import { revokeLinksOf } from '../account-links.ts';
import type { CsvColumn, GivenColumns } from '../csv/columns.ts';
import { exportSubscribers } from '../csv/export.ts';
import { importSubscribers } from '../csv/import.ts';
import { LIST_FORMATS } from '../csv/list-formats.ts';
import { parseStatusRules } from '../csv/statuses.ts';
import { eraseSubscriber } from '../erasure.ts';
import { subscriberHistory } from '../history.ts';
import { renderOwnSiteForm } from '../own-site-form.ts';
import { addSubscriber, endSubscriptions, findSubscriberByAddress, subscriberPages } from '../subscriptions.ts';
import { findSuppression, subscriberSubject, suppressByOperator, unsuppressByOperator } from '../suppression.ts';
import {
  formatSubscriber,
  formatSubscriberImport,
  formatSubscriberLine,
  formatUnknownAddress,
} from './format-subscribers.ts';

const OPERATOR = { channel: 'operator', source: null } as const;
const COLUMNS: CsvColumn[] = ['email', 'zone', 'newsletters', 'unsubscribed', 'paused_until', 'suppressed', 'since'];
/** Entries of each list that `show` prints; with `--json` all. */
const HISTORY_SHOWN = 50;

type ListOptions = EditorOptions & { newsletter?: string };

interface SubscriberImportFlags extends JsonOption {
  newsletter?: string[];
  map?: GivenColumns;
  format?: string;
  status?: string[];
  ignore?: string[];
  choices?: string[];
  choice?: string[];
  dryRun?: boolean;
}

export function addSubscriberCommands(program: Command, cli: CliContext): void {
  const subscribers = program.command('subscribers').description('add, remove, import, export and look up subscribers');

  subscribers
    .command('add')
    .description('subscribe addresses whose owners have agreed to it')
    .argument('<address...>')
    .option('--newsletter <id...>', 'default: all newsletters')
    .option('--zone <zone>', "the subscriber's IANA time zone")
    .action((addresses: string[], options: { newsletter?: string[]; zone?: string }) => add(cli, addresses, options));

  subscribers
    .command('remove')
    .description('unsubscribe addresses, or erase everything stored about them')
    .argument('<address...>')
    .option('--newsletter <id>', 'default: all newsletters')
    .addOption(
      new Option(
        '--erase',
        'delete the subscriber, its history and the server replies; a keyed hash prevents a new import of the address',
      ).conflicts('newsletter'),
    )
    .action((addresses: string[], { newsletter, erase }: { newsletter?: string; erase?: boolean }) =>
      erase ? eraseAddresses(cli, addresses) : removeAddresses(cli, addresses, newsletter),
    );

  subscribers
    .command('suppress')
    .description('never mail these addresses again, whether they are subscribed or not')
    .argument('<address...>')
    .action((addresses: string[]) => changeSuppression(cli, addresses, suppressByOperator));

  subscribers
    .command('unsuppress')
    .description('allow mail to these addresses again, or to all that were suppressed for a reason')
    .argument('[address...]')
    .addOption(new Option('--reason <reason>', 'all that were suppressed for it').choices(SUPPRESSION_REASONS))
    .option('--domain <domain>', 'with --reason: only addresses at this domain')
    .option('--since <date>', 'with --reason: only those suppressed since then, such as 2026-11-24', parseDay)
    .option('--dry-run', 'with --reason: only show whom it would bring back, and when they were last accepted')
    .action((addresses: string[], options: SuppressedFilter) => {
      const isNamed = Object.keys(options).length === 0;
      if (isNamed ? addresses.length === 0 : addresses.length > 0 || options.reason === undefined)
        throw new CommandError('unsuppress takes either addresses, or --reason with its options');
      return isNamed ? changeSuppression(cli, addresses, unsuppressByOperator) : unsuppressAll(cli, options);
    });

  subscribers
    .command('revoke-links')
    .description(
      'end the links to the preferences in all earlier mail to these addresses; unsubscribe links still work',
    )
    .argument('<address...>')
    .action((addresses: string[]) => revokeAddresses(cli, addresses));

  subscribers
    .command('list')
    .description('list subscribers, one a line')
    .option('--newsletter <id>', 'only subscribers of this newsletter')
    .option('--json', 'print JSON Lines')
    .option(...BY)
    .action((options: ListOptions) => list(cli, options));

  jsonCommand(subscribers, 'show', 'show subscriptions, consent, and every delivery with its time and the server reply')
    .argument('<address>')
    .option(...BY)
    .action((address: string, options: EditorOptions) => show(cli, address, options));

  jsonCommand(
    subscribers,
    'import',
    'import subscribers from a CSV file, or from the export of another list manager; they must have agreed to it. ' +
      'Unsubscribed addresses stay unsubscribed',
  )
    .argument('<file>', `its first line names the columns: ${COLUMNS.join(', ')}; or that of an export`)
    .option('--newsletter <id...>', 'for a file without a column of newsletters; default: all newsletters')
    .option<GivenColumns>('--map <column=header...>', 'such as email="E-Mail-Adresse" or status="State"', parseMap)
    .option(
      '--status <value=status>',
      'what the values of the status say, such as "active=subscribed,gone=unsubscribed"; or one status for all rows',
      collect,
    )
    .option('--ignore <header>', 'a column that says nothing about consent; can be repeated', collect)
    .option('--choices <column>', 'with choices, such as "labels" or "attributes.topics"; can be repeated', collect)
    .option('--choice <value=target>', 'such as "Markets=section:finance" or "AI=tag:ai"; "VIP=" ignores it', collect)
    .addOption(
      new Option('--format <name>', 'of the export, where its header does not tell; plain for none').choices([
        ...LIST_FORMATS.map(({ name }) => name),
        'plain',
      ]),
    )
    .option('--dry-run', 'count what would be done, and store nothing')
    .action((file: string, options: SubscriberImportFlags) => importFile(cli, file, options));

  subscribers
    .command('form')
    .description('print the HTML of a form to subscribe, to copy into pages of your own site')
    .argument('[newsletter...]', 'default: all newsletters')
    .action((ids: string[]) => printForm(cli, ids));

  subscribers
    .command('export')
    .description('write all subscribers as CSV')
    .argument('[file]', 'default: stdout')
    .option('--newsletter <id>', 'only subscribers of this newsletter')
    .option(...BY)
    .action((file: string | undefined, options: ListOptions) => exportFile(cli, file, options));
}

function add(cli: CliContext, addresses: string[], options: { newsletter?: string[]; zone?: string }): Promise<void> {
  return cli.withApp(async ({ store, config, keys, clock }) => {
    const newsletters = newslettersNamed(config, options.newsletter);
    const secrets = await keys.signingSecrets();
    for (const email of addresses) {
      const subscriber = { email, newsletters, zone: options.zone };
      const result = await addSubscriber(store.db, secrets, subscriber, OPERATOR, clock());
      if (result.kind === 'refused') failFor(cli, result.reason);
      else {
        cli.print(`${email}: ${result.subscriptions.map((one) => `${one.newsletter} ${one.outcome}`).join(', ')}`);
      }
    }
  });
}

function removeAddresses(cli: CliContext, addresses: string[], newsletter: string | undefined): Promise<void> {
  return cli.withApp(async ({ store, config, clock }) => {
    if (newsletter !== undefined) newsletterNamed(config, newsletter);
    for (const email of addresses) {
      const subscriber = await findSubscriberByAddress(store.db, email);
      const newsletters = newsletter === undefined ? 'all' : [newsletter];
      const result = subscriber && (await endSubscriptions(store.db, subscriber.id, newsletters, OPERATOR, clock()));
      if (result === null || result.kind === 'unknown') failFor(cli, `${email}: there is no such subscriber`);
      else if (result.kind === 'already') cli.print(`${email}: was not subscribed`);
      else cli.print(`${email}: unsubscribed from ${result.newsletters.join(', ')}`);
    }
  });
}

function eraseAddresses(cli: CliContext, addresses: string[]): Promise<void> {
  return cli.withApp(async ({ store, keys, clock }) => {
    for (const email of addresses) {
      const subscriber = await findSubscriberByAddress(store.db, email);
      if (subscriber === null) {
        failFor(cli, `${email}: there is no such subscriber`);
        continue;
      }
      await eraseSubscriber(store.db, await keys.signingSecrets(), subscriber.id, clock());
      cli.print(`${email}: erased`);
    }
  });
}

function revokeAddresses(cli: CliContext, addresses: string[]): Promise<void> {
  return cli.withApp(async ({ store, clock }) => {
    for (const email of addresses) {
      const subscriber = await findSubscriberByAddress(store.db, email);
      const isRevoked = subscriber !== null && (await revokeLinksOf(store.db, subscriber.id, clock()));
      if (isRevoked) cli.print(`${email}: earlier links to the preferences no longer work`);
      else failFor(cli, `${email}: there is no such subscriber`);
    }
  });
}

function changeSuppression(
  cli: CliContext,
  addresses: string[],
  change: typeof suppressByOperator | typeof unsuppressByOperator,
): Promise<void> {
  return cli.withApp(async ({ store, keys, clock }) => {
    const secrets = await keys.signingSecrets();
    for (const email of addresses) {
      const result = await change(store.db, secrets, email, clock());
      if (result.kind === 'refused') failFor(cli, result.reason);
      else cli.print(`${email}: ${result.kind === 'already' ? 'nothing to change' : result.kind}`);
    }
  });
}

interface SuppressedFilter {
  reason?: SuppressionReason;
  domain?: string;
  since?: number;
  dryRun?: boolean;
}

function unsuppressAll(cli: CliContext, { reason, domain, since = 0, dryRun }: SuppressedFilter): Promise<void> {
  return cli.withApp(async ({ store, keys, clock }) => {
    const secrets = await keys.signingSecrets();
    const found = await store.db
      .selectFrom('subscribers')
      .select(['id', 'email'])
      .where('suppressed_reason', '=', reason as SuppressionReason)
      .where('suppressed_at', '>=', since)
      .where(domain === undefined ? sql<boolean>`1 = 1` : isAtProvider(domain.toLowerCase()))
      .orderBy('id')
      .execute();
    for (const { id, email } of found) {
      const { at } = await submittedDeliveries(store.db, id)
        .select((e) => e.fn.max('changed_at').as('at'))
        .where(sql<boolean>`not exists (select 1 from bounces where bounces.edition_id = deliveries.edition_id
          and bounces.subscriber_id = deliveries.subscriber_id)`)
        .executeTakeFirstOrThrow();
      if (!dryRun) await unsuppressByOperator(store.db, secrets, email, clock());
      const accepted = at === null ? 'no message accepted on record' : `last accepted ${rfc3339(at)}`;
      cli.print(`${email}: ${dryRun ? 'would be lifted' : 'lifted'}, ${accepted}`);
    }
    cli.print(count(found.length, 'address', 'addresses'));
  });
}

function parseDay(text: string): number {
  const day = parseWrittenInstant(text, 'UTC');
  if (day.kind === 'unclear') throw new InvalidArgumentError(`It ${day.rule}.`);
  return day.at;
}

function list(cli: CliContext, { newsletter, json, by }: ListOptions): Promise<void> {
  return cli.withApp(async (app) => {
    if (newsletter !== undefined) newsletterNamed(app.config, newsletter);
    const format = json ? formatJson : formatSubscriberLine;
    await auditExport(cli, app, { act: 'audience.export', subject: `newsletter/${newsletter ?? 'all'}` }, by);
    for await (const page of subscriberPages(app.store.db, newsletter)) {
      const lines = page.map((subscriber) => `${format(subscriber)}\n`);
      if (!(await cli.printPart(lines.join('')))) return;
    }
  });
}

function show(cli: CliContext, address: string, { by, ...options }: EditorOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const { store, config, keys } = app;
    const { zone } = config.publication;
    const subscriber = await findSubscriberByAddress(store.db, address);
    if (subscriber === null) {
      const parsed = parseAddress(address);
      if (parsed.kind === 'invalid') throw new CommandError(`${address}: ${parsed.reason}`);
      // The suppression list explains why an address cannot be added, or an import skips it.
      const suppression = await findSuppression(store.db, await keys.signingSecrets(), parsed.key);
      throw new CommandError(`${address}: ${formatUnknownAddress(suppression, zone)}`);
    }
    const act = { act: 'subscriber.export', subject: subscriberSubject(subscriber.id) };
    if (options.json) await auditExport(cli, app, act, by);
    const history = await subscriberHistory(store.db, subscriber.id, options.json ? undefined : HISTORY_SHOWN);
    printResult(cli, options, { subscriber, ...history }, () =>
      formatSubscriber(subscriber, history, HISTORY_SHOWN, zone),
    );
  });
}

function importFile(cli: CliContext, file: string, flags: SubscriberImportFlags): Promise<void> {
  return cli.withApp(async ({ store, config, keys, clock }) => {
    const report = await importSubscribers(store, await keys.signingSecrets(), file, {
      newsletters: newslettersNamed(config, flags.newsletter),
      known: newslettersNamed(config),
      map: { ...flags.map, choices: flags.choices },
      format: flags.format,
      ignore: flags.ignore,
      status: parseStatusRules(flags.status ?? [], '--status'),
      choices: { ...config, values: flags.choice ?? [] },
      dryRun: flags.dryRun,
      clock,
      onProgress: (progress) => cli.progress.show(formatSubscriberProgress(progress)),
    });
    const { problems, summary } = formatSubscriberImport(report, file);
    for (const problem of problems) cli.printError(problem);
    printResult(cli, flags, report, () => summary);
    if (report.rejected > 0) cli.fail();
  });
}

function exportFile(cli: CliContext, path: string | undefined, { newsletter, by }: ListOptions): Promise<void> {
  return cli.withApp(async (app) => {
    if (newsletter !== undefined) newsletterNamed(app.config, newsletter);
    await auditExport(cli, app, { act: 'audience.export', subject: `newsletter/${newsletter ?? 'all'}` }, by);
    const file = path === undefined ? null : await createFile(path);
    try {
      for await (const part of exportSubscribers(app.store.db, newsletter)) {
        if (file !== null) await file.write(part);
        else if (!(await cli.printPart(part))) return;
      }
    } finally {
      await file?.close();
    }
  });
}

function printForm(cli: CliContext, ids: string[]): Promise<void> {
  return cli.withApp(async (app) => {
    const { origins } = app.config.signup;
    if (origins.length === 0) cli.printError('add the origin of your site to signup.origins: its form is refused now');
    cli.print(await renderOwnSiteForm(app, newslettersNamed(app.config, ids.length === 0 ? undefined : ids)));
  });
}

/** Records an export, before the first address leaves: in the audit log, which the security log follows. */
function auditExport(cli: CliContext, app: AppContext, act: AuditedAct, by: string | undefined): Promise<void> {
  const detail = { by: editorName(cli, by) };
  return inTransaction(app.store.db, auditAct(CONSOLE, app.clock(), { ...act, detail }));
}

function failFor(cli: CliContext, reason: string): void {
  cli.printError(reason);
  cli.fail();
}

/** Ids of these newsletters; default: all. @throws CommandError */
function newslettersNamed(config: Config, ids?: string[]): string[] {
  return (ids?.map((id) => newsletterNamed(config, id)) ?? config.newsletters).map(({ id }) => id);
}

/** Creates a file that only its owner can read, because it lists people. @throws CommandError */
function createFile(path: string): Promise<FileHandle> {
  return open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'exists already: name another file' : `cannot be written (${error.code})`;
    throw new CommandError(`${path} ${why}`);
  });
}

function parseMap(entry: string, map: GivenColumns = {}): GivenColumns {
  const at = entry.indexOf('=');
  const header = entry.slice(at + 1);
  // Several columns can say the status.
  if (entry.slice(0, at) === 'status') return { ...map, status: [...(map.status ?? []), header] };
  const column = COLUMNS.find((one) => one === entry.slice(0, at));
  if (column === undefined) {
    throw new InvalidArgumentError(`It must be column=header, with a column of ${COLUMNS.join(', ')}, status.`);
  }
  return { ...map, [column]: header };
}

function collect(value: string, values: string[] = []): string[] {
  return [...values, value];
}
