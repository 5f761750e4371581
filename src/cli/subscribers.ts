/**
 * Commands about subscribers.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Command } from 'commander';
import type { AppContext } from '../app/app-context.ts';
import { describeSubscriberImport } from '../app/progress.ts';
import type { Db } from '../store/store.ts';
import { parseAddress } from '../subscribers/address.ts';
import type { Column } from '../subscribers/csv/csv-columns.ts';
import { exportSubscribers } from '../subscribers/csv/export-csv.ts';
import { importSubscribers } from '../subscribers/csv/import-csv.ts';
import { eraseSubscriber } from '../subscribers/erasure.ts';
import { subscriberHistory } from '../subscribers/history.ts';
import {
  addSubscriber,
  findSubscriberByAddress,
  listSubscribers,
  removeSubscriber,
  type Subscriber,
} from '../subscribers/subscriptions.ts';
import { findSuppression, suppressByOperator, unsuppressByOperator } from '../subscribers/suppression.ts';
import { loadSigningSecrets } from '../subscribers/tokens/secret.ts';
import { type CliContext, CommandError, newsletterNamed } from './context.ts';
import { describeNobody, describeSubscriber, describeSubscriberReport } from './describe-subscribers.ts';

const OPERATOR = { channel: 'operator', source: null } as const;
const COLUMNS: Column[] = ['email', 'zone', 'newsletters', 'unsubscribed', 'paused_until', 'suppressed', 'since'];
/** Of each list; `--json` has all. */
const SHOWN = 50;

export function addSubscriberCommands(program: Command, cli: CliContext): void {
  const { withApp: inNewsroom, print: say, printError: complain, progress, clock } = cli;
  const subscribers = program.command('subscribers').description('add, remove, import, export and look up subscribers');

  subscribers
    .command('add')
    .description('subscribe an address on your word that it agreed')
    .argument('<address...>')
    .option('--newsletter <id...>', 'default: all newsletters')
    .option('--zone <zone>', "the reader's IANA time zone")
    .action((addresses: string[], { newsletter, zone }: { newsletter?: string[]; zone?: string }) =>
      inNewsroom(async ({ store, config }) => {
        const newsletters = newslettersOf({ config }, newsletter);
        const secrets = loadSigningSecrets(config, store.dialect);
        for (const email of addresses) {
          const result = await addSubscriber(store.db, secrets, { email, newsletters, zone }, OPERATOR, clock());
          if (result.kind === 'refused') {
            complain(result.reason);
            cli.fail();
          } else {
            say(`${email}: ${result.subscriptions.map((one) => `${one.newsletter} ${one.outcome}`).join(', ')}`);
          }
        }
      }),
    );

  subscribers
    .command('remove')
    .description('unsubscribe an address; or erase all that is stored about it')
    .argument('<address...>')
    .option('--newsletter <id>', 'default: from all newsletters')
    .option(
      '--erase',
      'delete the subscriber, its history and what servers replied; a keyed hash keeps it from coming back by an import',
    )
    .action((addresses: string[], { newsletter, erase }: { newsletter?: string; erase?: boolean }) =>
      inNewsroom(async ({ store, config }) => {
        if (newsletter !== undefined) newsletterNamed(config, newsletter);
        if (erase && newsletter !== undefined) throw new CommandError('--erase concerns all newsletters at once');
        for (const email of addresses) {
          const done = erase
            ? await eraseAddress({ store, config }, email)
            : await removeAddress(store.db, email, newsletter);
          if (done === null) {
            complain(`${email}: there is no such subscriber`);
            cli.fail();
          } else {
            say(`${email}: ${done}`);
          }
        }
      }),
    );

  subscribers
    .command('suppress')
    .description('never mail an address again, a subscriber or not')
    .argument('<address...>')
    .action((addresses: string[]) => suppression(addresses, suppressByOperator));

  subscribers
    .command('unsuppress')
    .description('let an address be mailed again, whatever it was suppressed for')
    .argument('<address...>')
    .action((addresses: string[]) => suppression(addresses, unsuppressByOperator));

  subscribers
    .command('list')
    .description('list subscribers, one a line')
    .option('--newsletter <id>', 'of that newsletter alone')
    .option('--json', 'as JSON Lines')
    .action(({ newsletter, json }: { newsletter?: string; json?: boolean }) =>
      inNewsroom(async ({ store, config }) => {
        if (newsletter !== undefined) newsletterNamed(config, newsletter);
        let afterId = 0;
        for (;;) {
          const page = await listSubscribers(store.db, { newsletter, afterId, limit: 1_000 });
          for (const subscriber of page) say(json ? JSON.stringify(subscriber) : listLine(subscriber));
          const last = page.at(-1);
          if (last === undefined || !cli.hasListener()) return;
          afterId = last.id;
        }
      }),
    );

  subscribers
    .command('import')
    .description('import subscribers from a CSV file, on your word that they agreed; whoever left stays away')
    .argument('<file>', `its first line names the columns: ${COLUMNS.join(', ')}`)
    .option('--newsletter <id...>', 'for a file without a column of newsletters; default: all newsletters')
    .option('--map <column=header...>', 'such as email="E-Mail-Adresse"')
    .action((file: string, { newsletter, map = [] }: { newsletter?: string[]; map?: string[] }) =>
      inNewsroom(async ({ store, config }) => {
        const report = await importSubscribers(store, loadSigningSecrets(config, store.dialect), file, {
          newsletters: newslettersOf({ config }, newsletter),
          known: config.newsletters.map((one) => one.id),
          map: readMap(map),
          clock,
          onProgress: (so) => progress.show(describeSubscriberImport(so)),
        });
        progress.clear();
        const { problems, summary } = describeSubscriberReport(report, file);
        for (const problem of problems) complain(problem);
        say(summary);
        if (report.rejected > 0) cli.fail();
      }),
    );

  subscribers
    .command('export')
    .description('write all subscribers as CSV')
    .argument('[file]', 'default: stdout')
    .option('--newsletter <id>', 'of that newsletter alone')
    .action((path: string | undefined, { newsletter }: { newsletter?: string }) =>
      inNewsroom(async ({ store, config }) => {
        if (newsletter !== undefined) newsletterNamed(config, newsletter);
        // Readable by its owner alone: it is a list of people.
        const file = path === undefined ? null : await newFile(path);
        try {
          for await (const part of exportSubscribers(store.db, newsletter)) {
            if (file !== null) await file.write(part);
            else if (cli.hasListener()) say(part.trimEnd());
            else return;
          }
        } finally {
          await file?.close();
        }
      }),
    );

  subscribers
    .command('show')
    .description('what is known of an address: subscriptions, consent, and who got what, when, with which reply')
    .argument('<address>')
    .option('--json', 'as JSON')
    .action((email: string, { json }: { json?: boolean }) =>
      inNewsroom(async ({ store, config }) => {
        const subscriber = await findSubscriberByAddress(store.db, email);
        const { zone } = config.publication;
        if (subscriber === null) throw await nobody({ store, config }, email);
        const history = await subscriberHistory(store.db, subscriber.id, json ? undefined : SHOWN);
        say(
          json
            ? JSON.stringify({ subscriber, ...history }, null, 2)
            : describeSubscriber(subscriber, history, SHOWN, zone),
        );
      }),
    );

  function suppression(
    addresses: string[],
    change: typeof suppressByOperator | typeof unsuppressByOperator,
  ): Promise<void> {
    return inNewsroom(async ({ store, config }) => {
      const secrets = loadSigningSecrets(config, store.dialect);
      for (const email of addresses) {
        const result = await change(store.db, secrets, email, clock());
        if (result.kind === 'refused') {
          complain(result.reason);
          cli.fail();
        } else {
          say(`${email}: ${result.kind === 'already' ? 'nothing to change' : result.kind}`);
        }
      }
    });
  }

  async function eraseAddress({ store, config }: Pick<AppContext, 'store' | 'config'>, email: string) {
    const subscriber = await findSubscriberByAddress(store.db, email);
    if (subscriber === null) return null;
    await eraseSubscriber(store.db, loadSigningSecrets(config, store.dialect), subscriber.id, clock());
    return 'erased';
  }

  /** Nobody's address may be suppressed, or have been erased: that is why it cannot be added, or an import leaves it out. */
  async function nobody({ store, config }: Pick<AppContext, 'store' | 'config'>, email: string): Promise<CommandError> {
    const address = parseAddress(email);
    if (address.kind === 'refused') return new CommandError(`${email}: ${address.reason}`);
    const listed = await findSuppression(store.db, loadSigningSecrets(config, store.dialect), address.key);
    return new CommandError(`${email}: ${describeNobody(listed, config.publication.zone)}`);
  }

  async function removeAddress(db: Db, email: string, newsletter?: string): Promise<string | null> {
    const result = await removeSubscriber(db, email, OPERATOR, clock(), newsletter);
    if (result.kind === 'unknown') return null;
    return result.kind === 'already' ? 'was not subscribed' : `unsubscribed from ${result.newsletters.join(', ')}`;
  }
}

function newslettersOf({ config }: Pick<AppContext, 'config'>, named?: string[]): string[] {
  return named?.map((id) => newsletterNamed(config, id).id) ?? config.newsletters.map((one) => one.id);
}

/** @throws CommandError where it is there already, or its folder is not */
function newFile(path: string): Promise<FileHandle> {
  return open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'is there already: name another file' : `cannot be written (${error.code})`;
    throw new CommandError(`${path} ${why}`);
  });
}

function readMap(entries: string[]): Partial<Record<Column, string>> {
  const map: Partial<Record<Column, string>> = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const column = COLUMNS.find((one) => one === entry.slice(0, at));
    if (column === undefined) {
      throw new CommandError(`--map ${entry}: it must be column=header, with a column of ${COLUMNS.join(', ')}`);
    }
    map[column] = entry.slice(at + 1);
  }
  return map;
}

function listLine(subscriber: Subscriber): string {
  const states = subscriber.subscriptions.map((one) => `${one.newsletter} ${one.state}`).join(', ');
  const standing = subscriber.suppressedReason === null ? '' : `suppressed: ${subscriber.suppressedReason}`;
  return [subscriber.email, states, subscriber.zone ?? '', standing].join('\t').trimEnd();
}
