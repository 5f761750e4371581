/**
 * Commands about the store: its schema, its copies; and the schema of the configuration.
 */
import type { Command } from 'commander';
import { configJsonSchema, loadConfig } from '../config/config.ts';
import { backupStore, restoreStore } from '../store/backup.ts';
import { migrate } from '../store/schema.ts';
import { openStore, type Store } from '../store/store.ts';
import type { CliContext } from './context.ts';

export function addStoreCommands(program: Command, cli: CliContext): void {
  const { print: say, clock, progress } = cli;

  program
    .command('migrate')
    .description('bring the schema of the store up to date')
    .action(() =>
      withStore(async (store) => {
        const done = await migrate(store);
        say(done.length === 0 ? `${store.location} is up to date` : `${store.location}: ran ${done.join(', ')}`);
      }),
    );

  program
    .command('backup')
    .description('copy the whole store into one file, while everything goes on')
    .argument('<file>', 'which must not exist yet')
    .action((file: string) =>
      withStore(async (store) => {
        const copied = await backupStore(store, file, clock(), {
          onProgress: (rows) => progress.show(`backing up: ${rows} rows`),
        });
        progress.clear();
        say(`${store.location} is copied to ${file}: ${copied.rows} rows. Keep the signing secret as well.`);
      }),
    );

  program
    .command('restore')
    .description('fill an empty store from a backup; it mails nothing until "daywire deliver --release"')
    .argument('<file>', 'made by "daywire backup"')
    .action((file: string) =>
      withStore(async (store) => {
        const copied = await restoreStore(file, store, clock(), {
          onProgress: (rows) => progress.show(`restoring: ${rows} rows`),
        });
        progress.clear();
        say(
          `${store.location} holds ${copied.rows} rows of ${file}. Nothing is mailed until "daywire deliver --release":`,
        );
        say('look at "daywire status" first, and cancel the editions that went out after the backup was made');
      }),
    );

  program
    .command('schema', { hidden: true })
    .description('print the JSON Schema of the configuration')
    .action(() => say(JSON.stringify(configJsonSchema(), null, 2)));

  /** The store as it is, whatever its schema. */
  async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
    const { configFile, env, cwd } = cli.processEnv('silent');
    const { secrets, paths } = loadConfig(configFile, env, cwd);
    const store = await openStore({ databaseUrl: secrets.databaseUrl, path: paths.store });
    try {
      await work(store);
    } finally {
      await store.close();
    }
  }
}
