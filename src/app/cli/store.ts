/** Commands about the store: its schema and its backups. */
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, type JsonOption, printResult } from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import { displayPath } from '../../core/cli/text.ts';
import { type Config, loadConfig } from '../../core/config/config.ts';
import { adoptSigningSecret, LOST_WITH_SECRET, verifySigningSecrets } from '../../core/signing-secret.ts';
import { backupStore, restoreStore } from '../../core/store/backup/backup.ts';
import { vacuumFailure, vacuumIfDue } from '../../core/store/deleted-text.ts';
import { migrate } from '../../core/store/schema.ts';
import { openStore, type Store } from '../../core/store/store.ts';
import { SUBMITTING_LEASE } from '../../delivery/queue/group-commit.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { count } from '../../lib/text/count.ts';
import { formatDuration, rfc3339 } from '../../lib/time.ts';
import { openParts } from '../context-parts.ts';
import { type Rehearsal, rehearseRestore } from '../rehearse-restore.ts';

export function addStoreCommands(program: Command, cli: CliContext): void {
  program
    .command('migrate')
    .description('bring the schema of the store up to date')
    .action(() =>
      withStore(cli, async (store) => {
        const migrations = await migrate(store);
        const outcome = migrations.length === 0 ? ' is up to date' : `: ran ${migrations.join(', ')}`;
        cli.print(`${store.location}${outcome}`);
        const vacuumed = await vacuumIfDue(store.db, () => cli.progress.show(formatProgress({ kind: 'vacuuming' })));
        if (vacuumed.kind === 'done') cli.print(`${store.location} was rewritten, so that no erased address is in it`);
        if (vacuumed.kind === 'failed') cli.printError(vacuumFailure(store, vacuumed.reason));
      }),
    );

  program
    .command('backup')
    .description('copy the whole store into one file, while daywire may run')
    .argument('<file>', 'which must not exist yet')
    .action((file: string) =>
      withStore(cli, async (store, config) => {
        // A name that is taken is a mistake of the operator, and no alert.
        const isFree = !existsSync(file);
        const { alerts } = openParts(config, store, cli.processEnv('silent'));
        try {
          const rows = await backupStore(store, file, cli.clock(), {
            onProgress: (copied) => cli.progress.show(`backing up: ${copied} rows`),
          });
          alerts.storage.set('backup', null);
          cli.print(`${store.location} is copied to ${file}: ${rows} rows. Keep the signing secret as well.`);
        } catch (error) {
          if (isFree) alerts.storage.set('backup', `The backup to ${file} failed: ${errorLine(error)}.`);
          throw error;
        } finally {
          await alerts.send();
        }
      }),
    );

  program
    .command('restore')
    .description('fill an empty store from a backup; nothing is mailed until "daywire queue release"')
    .argument('<file>', 'made by "daywire backup"')
    .option('--adopt-secret', 'although the signing secret is not the one of the backup, which is lost')
    .addOption(
      new Option('--rehearse', 'restore into a temporary store instead, and delete it').conflicts('adoptSecret'),
    )
    .addOption(
      new Option('--json', 'rehearse, and print JSON, with the rows of each table').implies({ rehearse: true }),
    )
    .action((file: string, { adoptSecret = false, ...options }: RestoreFlags) =>
      options.rehearse === true
        ? rehearse(cli, file, options)
        : withStore(cli, async (store, config) => {
            const rows = await restoreStore(file, store, cli.clock(), {
              verify: adoptSecret ? undefined : (backup) => verifySigningSecrets(config, backup, store.dialect),
              onProgress: (copied) => cli.progress.show(`restoring: ${copied} rows`),
            });
            if (adoptSecret) await adoptSigningSecret(config, store);
            cli.print(
              `${store.location} holds ${rows} rows of ${file}. Nothing is mailed until "daywire queue release".\n` +
                'Who got a message after the backup, or while it was made, will get it twice: look at "daywire queue ' +
                'show" and at the log of\nyour mail server, and cancel what was delivered ("daywire editions cancel ' +
                'EDITION"). Deliveries that were being submitted\nduring the backup begin ' +
                `${formatDuration(SUBMITTING_LEASE)} after it at the earliest.`,
            );
          }),
    );

  program
    .command('secret')
    .description('accept another signing secret')
    .command('adopt')
    .description('use the store with the present signing secret, because the former one is lost')
    .option('--yes', 'without a question')
    .action(({ yes }: { yes?: boolean }) => cli.withApp((app) => adopt(cli, app, yes === true)));
}

interface RestoreFlags extends JsonOption {
  adoptSecret?: boolean;
  rehearse?: boolean;
}

async function rehearse(cli: CliContext, file: string, options: RestoreFlags): Promise<void> {
  const { configFile, env, cwd } = cli.processEnv('silent');
  const rehearsal = await rehearseRestore({
    file,
    config: loadConfig(configFile, env, cwd),
    clock: cli.clock,
    onProgress: (rows) => cli.progress.show(`restoring: ${rows} rows`),
    signal: cli.stopSignal(),
  });
  printResult(cli, options, rehearsal, () => formatRehearsal(rehearsal));
  if (rehearsal.problem !== null) cli.fail();
}

function formatRehearsal({ file, problem, tables, madeAt, bytes, startedAt, seconds }: Rehearsal): string {
  if (problem !== null) return `${displayPath(file)} is not a good backup: ${problem}`;
  const made =
    madeAt === null
      ? 'of an unknown time'
      : `made ${rfc3339(madeAt)}, ${formatDuration(Math.max(startedAt - madeAt, 0))} ago`;
  const rows = Object.values(tables).reduce((sum, number) => sum + number, 0);
  return (
    `${displayPath(file)} is a good backup: ${made}; ${count(rows, 'row')} of ${Object.keys(tables).length} tables, ` +
    `${(bytes / 1_000_000).toFixed(1)} MB, restored in ${seconds.toFixed(1)} s`
  );
}

async function adopt(cli: CliContext, { config, store }: AppContext, isSure: boolean): Promise<void> {
  if (!isSure) {
    const answer = await cli.ask(`With another signing secret ${LOST_WITH_SECRET}.\nType "yes" to accept that: `);
    if (answer === null) throw new CommandError('there is no terminal to ask on: add --yes to accept the loss');
    if (answer !== 'yes') throw new CommandError('nothing was changed');
  }
  const isNew = await adoptSigningSecret(config, store);
  cli.print(
    isNew
      ? `${store.location} is used with the present signing secret from now on. Restart what runs. Keep the secret.`
      : `${store.location} is used with the present signing secret already`,
  );
}

/** Opens the store, with any schema. */
async function withStore(cli: CliContext, work: (store: Store, config: Config) => Promise<void>): Promise<void> {
  const { configFile, env, cwd } = cli.processEnv('silent');
  const config = loadConfig(configFile, env, cwd);
  const { secrets, paths } = config;
  const store = await openStore({ databaseUrl: secrets.databaseUrl, path: paths.store });
  try {
    await work(store, config);
  } finally {
    await store.close();
  }
}
