/**
 * The command line: arguments become one call each, and what comes back becomes words and an exit code. The only file that ends
 * the process.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { importPaths } from './articles/import.ts';
import { check } from './check.ts';
import { type Config, configJsonSchema, loadConfig, type NewsletterConfig } from './config.ts';
import { init } from './init.ts';
import { composeByHand, deliverDue, publish } from './jobs.ts';
import { openLog } from './log.ts';
import { type Newsroom, type Surroundings, withNewsroom } from './newsroom.ts';
import { preview } from './preview.ts';
import { describeDelivering, describeImporting, openProgress } from './progress.ts';
import { hasFailed, keepRunning, runOnce } from './start.ts';
import { readStatus } from './status.ts';
import { migrate } from './store/schema.ts';
import { openStore } from './store/store.ts';
import { addSubscriber, listSubscribers, removeSubscriber } from './subscribers/subscriptions.ts';
import {
  describeCheck,
  describeDelivery,
  describeEdition,
  describeFirstRound,
  describeImport,
  describePublish,
  describeStatus,
} from './words.ts';

const FAILED = 1;
const USAGE = 2;

/** What the operator asked for cannot be done. */
class CommandError extends Error {
  override name = 'CommandError';
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const progress = openProgress(process.stderr);
const clock = Date.now;

const program = new Command('daywire')
  .description("Publishes a newsroom's articles as feeds and as a daily roundup by email, on a schedule.")
  .version(version)
  .option('-c, --config <file>', 'the configuration', process.env.DAYWIRE_CONFIG ?? 'config/daywire.yaml')
  .option('--debug', 'show the stack trace of an error')
  .showHelpAfterError('(daywire --help lists the commands)')
  .exitOverride();

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
    const findings = await check(surroundings('silent'));
    say(describeCheck(findings));
    if (findings.some((finding) => finding.is === 'problem')) process.exitCode = FAILED;
  });

program
  .command('import')
  .description('import articles: Markdown files with front matter, JSON Lines, and folders of them')
  .argument('<path...>', 'files and folders')
  .action((paths: string[]) =>
    inNewsroom(async (newsroom) => {
      const report = await importPaths(newsroom.store, newsroom.config, paths, {
        clock,
        onProgress: (so) => progress.show(describeImporting(so)),
      });
      progress.clear();
      const { problems, summary } = describeImport(report);
      for (const problem of problems) complain(problem);
      say(summary);
      if (report.added + report.updated > 0) say(describePublish(await publish(newsroom), newsroom.config));
      if (report.setAside.length > 0) process.exitCode = FAILED;
    }),
  );

program
  .command('publish')
  .description('publish feeds now')
  .argument('[feed...]', 'ids of feeds; default all of them')
  .action((feeds: string[]) =>
    inNewsroom(async (newsroom) => {
      for (const id of feeds) named(newsroom.config.feeds, id, 'feed');
      const report = await publish(newsroom, feeds.length === 0 ? undefined : feeds);
      say(describePublish(report, newsroom.config));
      for (const { feed, articleId, problem } of report.setAside) complain(`${feed}: ${articleId}: ${problem}`);
      if (report.setAside.length > 0) process.exitCode = FAILED;
    }),
  );

program
  .command('compose')
  .description("compose and close a newsletter's edition now, and queue its deliveries")
  .argument('<newsletter>', 'its id')
  .option('--slot <slot>', "the slot, such as 2026-11-24; default today's")
  .action((id: string, { slot }: { slot?: string }) =>
    inNewsroom(async (newsroom) => {
      const outcome = await composeByHand(newsroom, newsletterNamed(newsroom.config, id), slot);
      if (outcome.is === 'skipped') throw new CommandError(`${id}: no edition: ${outcome.reason}`);
      say(describeEdition(outcome, newsroom.config));
      await publish(newsroom);
    }),
  );

program
  .command('deliver')
  .description('deliver what is due')
  .action(() =>
    inNewsroom(async (newsroom) => {
      const ending = endOnSignal();
      const report = await deliverDue(newsroom, {
        signal: ending,
        onProgress: (so) => progress.show(describeDelivering(so)),
      });
      progress.clear();
      say(describeDelivery(report));
      if (report.failed > 0 || report.stopped !== null) process.exitCode = FAILED;
    }),
  );

program
  .command('preview')
  .description('write the HTML of the edition that would go out now, and print its path')
  .argument('<newsletter>', 'its id')
  .action((id: string) =>
    inNewsroom(async (newsroom) => {
      const outcome = await preview(newsroom, newsletterNamed(newsroom.config, id));
      if (outcome.is === 'skipped') throw new CommandError(`${id}: nothing to preview: ${outcome.reason}`);
      say(outcome.htmlPath);
    }),
  );

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
  .action(({ once }: { once?: boolean }) =>
    inNewsroom(
      async (newsroom) => {
        const ending = endOnSignal();
        const steering = { progress, ending };
        if (once) {
          const round = await runOnce(newsroom, steering);
          say(describeFirstRound(newsroom, round, { version, url: null, now: clock() }));
          if (hasFailed(round)) process.exitCode = FAILED;
          return;
        }
        const running = await keepRunning(newsroom, steering);
        say(describeFirstRound(newsroom, running.round, { version, url: running.url, now: clock() }));
        await signalled(ending);
        newsroom.log.info({}, 'stopping: what is under way is finished first');
        await running.stop();
      },
      once ? 'warn' : 'info',
    ),
  );

program
  .command('migrate')
  .description('bring the schema of the store up to date')
  .action(async () => {
    const { secrets, paths } = loadedConfig();
    const store = await openStore({ databaseUrl: secrets.databaseUrl, path: paths.store });
    try {
      const done = await migrate(store);
      say(done.length === 0 ? `${store.place} is up to date` : `${store.place}: ran ${done.join(', ')}`);
    } finally {
      await store.close();
    }
  });

const subscribers = program.command('subscribers').description('add, remove and list subscribers');

subscribers
  .command('add')
  .description('subscribe an address on your word that it agreed')
  .argument('<address...>')
  .option('--newsletter <id...>', 'default: all newsletters')
  .option('--zone <zone>', "the reader's IANA time zone")
  .action((addresses: string[], { newsletter, zone }: { newsletter?: string[]; zone?: string }) =>
    inNewsroom(async ({ store, config }) => {
      const newsletters = newsletter ?? config.newsletters.map((one) => one.id);
      for (const id of newsletters) newsletterNamed(config, id);
      for (const email of addresses) {
        const result = await addSubscriber(store.db, { email, newsletters, zone }, clock());
        if (result.is === 'refused') {
          complain(result.reason);
          process.exitCode = FAILED;
        } else {
          say(`${email}: ${result.subscriptions.map((one) => `${one.newsletter} ${one.outcome}`).join(', ')}`);
        }
      }
    }),
  );

subscribers
  .command('remove')
  .description('unsubscribe an address')
  .argument('<address...>')
  .option('--newsletter <id>', 'default: from all newsletters')
  .action((addresses: string[], { newsletter }: { newsletter?: string }) =>
    inNewsroom(async ({ store, config }) => {
      if (newsletter !== undefined) newsletterNamed(config, newsletter);
      for (const email of addresses) {
        const result = await removeSubscriber(store.db, email, clock(), newsletter);
        if (result.is === 'unknown') {
          complain(`${email}: there is no such subscriber`);
          process.exitCode = FAILED;
        } else {
          say(
            `${email}: ${result.is === 'already' ? 'was not subscribed' : `unsubscribed from ${result.newsletters.join(', ')}`}`,
          );
        }
      }
    }),
  );

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
        for (const subscriber of page) {
          const states = subscriber.subscriptions.map((one) => `${one.newsletter} ${one.state}`).join(', ');
          say(
            json ? JSON.stringify(subscriber) : [subscriber.email, states, subscriber.zone ?? ''].join('\t').trimEnd(),
          );
        }
        const last = page.at(-1);
        if (last === undefined || process.stdout.destroyed) return;
        afterId = last.id;
      }
    }),
  );

program.addCommand(
  new Command('schema')
    .description('print the JSON Schema of the configuration')
    .action(() => say(JSON.stringify(configJsonSchema(), null, 2))),
  { hidden: true },
);

// Whoever read our lines may have had enough of them (`| head`): what is under way goes on, unheard.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

await run();

async function run(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    progress.clear();
    if (error instanceof CommanderError) {
      // Commander has said what is wrong; its own code for help and version is 0.
      process.exitCode = error.exitCode === 0 ? 0 : USAGE;
      return;
    }
    for (const line of (error instanceof Error ? error.message : String(error)).split('\n')) complain(line);
    if (program.opts<{ debug?: boolean }>().debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = FAILED;
  }
}

function surroundings(level: string): Surroundings {
  const configFile = program.opts<{ config: string }>().config;
  const log = openLog(process.stderr, process.env.DAYWIRE_LOG ?? level);
  return { configFile, env: process.env, cwd: process.cwd(), clock, log };
}

function loadedConfig(): Config {
  const { configFile, env, cwd } = surroundings('silent');
  return loadConfig(configFile, env, cwd);
}

/** One-shot commands say what they did; only warnings need a log. */
function inNewsroom(work: (newsroom: Newsroom) => Promise<void>, level = 'warn'): Promise<void> {
  return withNewsroom(surroundings(level), work);
}

function named<T extends { id: string }>(all: T[], id: string, what: string): T {
  const found = all.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw new CommandError(
    `there is no ${what} ${id}: the configuration has ${all.map((one) => one.id).join(', ') || 'none'}`,
  );
}

function newsletterNamed(config: Config, id: string): NewsletterConfig {
  return named(config.newsletters, id, 'newsletter');
}

/** Aborted by the first SIGINT or SIGTERM; the second one finds no listener, and ends the process at once. */
function endOnSignal(): AbortSignal {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
    process.off('SIGINT', end).off('SIGTERM', end);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  return ending.signal;
}

function signalled(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`daywire: ${line}\n`);
}
