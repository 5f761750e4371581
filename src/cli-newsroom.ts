/**
 * Commands about the newsroom as a whole: making one, checking it, running it, and keeping its store.
 */
import { Command, Option } from 'commander';
import { check } from './check.ts';
import { configJsonSchema, loadConfig } from './config.ts';
import { init } from './init.ts';
import type { Shell } from './shell.ts';
import { hasFailed, keepRunning, ROLES, type Role, runOnce } from './start.ts';
import { readStatus } from './status.ts';
import { backupStore, restoreStore } from './store/backup.ts';
import { migrate } from './store/schema.ts';
import { openStore, type Store } from './store/store.ts';
import { describeCheck, describeFirstRound, describeStatus } from './words.ts';

export function addNewsroomCommands(program: Command, shell: Shell): void {
  const { inNewsroom, say, clock, progress } = shell;

  program
    .command('init')
    .description('make a newsroom of your own: configuration, templates and an empty store')
    .argument('[folder]', 'where', '.')
    .option('--name <name>', "the publication's name", 'My Newsroom')
    .option('--url <url>', 'its public address', 'http://127.0.0.1:8080')
    .option('--zone <zone>', 'its IANA time zone', 'UTC')
    .option('--language <tag>', 'its language (BCP 47)', 'en')
    .option('--email <address>', 'contact and sender', 'newsroom@example.com')
    .action(async (folder: string, answers: Parameters<typeof init>[1]) => {
      const made = await init(folder, answers, clock());
      say(`made in ${folder}: ${made.join(', ')}`);
      say('next: put articles (Markdown with front matter, or JSON Lines) into articles/, then run "daywire start"');
    });

  program
    .command('check')
    .description('check configuration, templates, store and SMTP login')
    .action(async () => {
      const findings = await check(shell.surroundings('silent'));
      say(describeCheck(findings));
      if (findings.some((finding) => finding.is === 'problem')) shell.fail();
    });

  program
    .command('status')
    .description('articles, feeds, editions, deliveries, runs, and what was set aside or failed')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) =>
      inNewsroom(async (newsroom) => {
        const status = await readStatus(newsroom, clock());
        say(json ? JSON.stringify(status, null, 2) : describeStatus(status));
      }),
    );

  program
    .command('start')
    .description('publish, compose and deliver what is due, serve the pages, and keep to the schedule')
    .option('--once', 'do what is due and end, without the server')
    .addOption(
      new Option('--role <role...>', 'only that part of the work, where several processes share it').choices(ROLES),
    )
    .action(({ once, role }: { once?: boolean; role?: Role[] }) =>
      inNewsroom(
        async (newsroom) => {
          const ending = shell.endOnSignal();
          const steering = { progress, ending, roles: role ?? ROLES };
          const said = { version: shell.version, now: clock() };
          if (once) {
            const round = await runOnce(newsroom, steering);
            say(describeFirstRound(newsroom, round, { ...said, url: null }));
            if (hasFailed(round)) shell.fail();
            return;
          }
          const running = await keepRunning(newsroom, steering);
          say(describeFirstRound(newsroom, running.round, { ...said, url: running.url }));
          await aborted(ending);
          newsroom.log.info({}, 'stopping: what is under way is finished first');
          await running.stop();
        },
        once ? 'warn' : 'info',
      ),
    );

  program
    .command('migrate')
    .description('bring the schema of the store up to date')
    .action(() =>
      withStore(async (store) => {
        const done = await migrate(store);
        say(done.length === 0 ? `${store.place} is up to date` : `${store.place}: ran ${done.join(', ')}`);
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
        say(`${store.place} is copied to ${file}: ${copied.rows} rows. Keep the signing secret as well.`);
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
          `${store.place} holds ${copied.rows} rows of ${file}. Nothing is mailed until "daywire deliver --release":`,
        );
        say('look at "daywire status" first, and cancel the editions that went out after the backup was made');
      }),
    );

  program.addCommand(
    new Command('schema')
      .description('print the JSON Schema of the configuration')
      .action(() => say(JSON.stringify(configJsonSchema(), null, 2))),
    { hidden: true },
  );

  /** The store as it is, whatever its schema. */
  async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
    const { configFile, env, cwd } = shell.surroundings('silent');
    const { secrets, paths } = loadConfig(configFile, env, cwd);
    const store = await openStore({ databaseUrl: secrets.databaseUrl, path: paths.store });
    try {
      await work(store);
    } finally {
      await store.close();
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
