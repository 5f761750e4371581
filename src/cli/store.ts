/**
 * Commands about the store: its schema and its backups.
 */
import type { Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import { backupStore, restoreStore } from '../store/backup.ts';
import { migrate } from '../store/schema.ts';
import { openStore, type Store } from '../store/store.ts';
import type { CliContext } from './context.ts';

export function addStoreCommands(program: Command, cli: CliContext): void {
  program
    .command('migrate')
    .description('bring the schema of the store up to date')
    .action(() =>
      withStore(cli, async (store) => {
        const migrations = await migrate(store);
        const outcome = migrations.length === 0 ? ' is up to date' : `: ran ${migrations.join(', ')}`;
        cli.print(`${store.location}${outcome}`);
      }),
    );

  program
    .command('backup')
    .description('copy the whole store into one file, while daywire may run')
    .argument('<file>', 'which must not exist yet')
    .action((file: string) =>
      withStore(cli, async (store) => {
        const { rows } = await backupStore(store, file, cli.clock(), {
          onProgress: (copied) => cli.progress.show(`backing up: ${copied} rows`),
        });
        cli.print(`${store.location} is copied to ${file}: ${rows} rows. Keep the signing secret as well.`);
      }),
    );

  program
    .command('restore')
    .description('fill an empty store from a backup; nothing is mailed until "daywire queue release"')
    .argument('<file>', 'made by "daywire backup"')
    .action((file: string) =>
      withStore(cli, async (store) => {
        const { rows } = await restoreStore(file, store, cli.clock(), {
          onProgress: (copied) => cli.progress.show(`restoring: ${copied} rows`),
        });
        cli.print(
          `${store.location} holds ${rows} rows of ${file}. Nothing is mailed until "daywire queue release".\n` +
            'First look at "daywire status", and cancel the editions that were delivered after the backup.',
        );
      }),
    );
}

/** Opens the store whatever its schema. */
async function withStore(cli: CliContext, work: (store: Store) => Promise<void>): Promise<void> {
  const { configFile, env, cwd } = cli.processEnv('silent');
  const { secrets, paths } = loadConfig(configFile, env, cwd);
  const store = await openStore({ databaseUrl: secrets.databaseUrl, path: paths.store });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}
