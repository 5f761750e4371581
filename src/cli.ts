/**
 * The command line: arguments become one call each, and what comes back becomes words and an exit code. The only file that ends
 * the process; the commands themselves stand in cli-*.ts.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { openLog } from './log.ts';
import { type Surroundings, withNewsroom } from './newsroom.ts';
import { openProgress } from './progress.ts';
import type { AddCommands, Shell } from './shell.ts';

const FAILED = 1;
const USAGE = 2;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const progress = openProgress(process.stderr);

const program = new Command('daywire')
  .description("Publishes a newsroom's articles as feeds and as a daily roundup by email, on a schedule.")
  .version(version)
  .option('-c, --config <file>', 'the configuration', process.env.DAYWIRE_CONFIG ?? 'config/daywire.yaml')
  .option('--debug', 'show the stack trace of an error')
  .showHelpAfterError('(daywire --help lists the commands)')
  .exitOverride();

const shell: Shell = {
  inNewsroom: (work, level = 'warn') => withNewsroom(surroundings(level), work),
  surroundings,
  say: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`daywire: ${line}\n`),
  fail: (code = FAILED) => {
    process.exitCode = code;
  },
  endOnSignal,
  hasListener: () => !process.stdout.destroyed,
  readInput,
  progress,
  clock: Date.now,
  version,
};

/** Only what is asked for is loaded: a mail server runs `daywire bounce` for each message. */
const COMMANDS: { words: string[]; load(): Promise<AddCommands> }[] = [
  {
    words: ['init', 'check', 'status', 'start'],
    load: async () => (await import('./cli-newsroom.ts')).addNewsroomCommands,
  },
  {
    words: ['import', 'publish', 'compose', 'preview'],
    load: async () => (await import('./cli-articles.ts')).addArticleCommands,
  },
  { words: ['deliver', 'bounce'], load: async () => (await import('./cli-delivery.ts')).addDeliveryCommands },
  { words: ['subscribers'], load: async () => (await import('./cli-subscribers.ts')).addSubscriberCommands },
  {
    words: ['migrate', 'backup', 'restore', 'schema'],
    load: async () => (await import('./cli-store.ts')).addStoreCommands,
  },
];
const asked = COMMANDS.filter(({ words }) => words.some((word) => process.argv.includes(word)));
for (const { load } of asked.length > 0 ? asked : COMMANDS) (await load())(program, shell);

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
    for (const line of (error instanceof Error ? error.message : String(error)).split('\n')) shell.complain(line);
    if (program.opts<{ debug?: boolean }>().debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = FAILED;
  }
}

function surroundings(level: string): Surroundings {
  const configFile = program.opts<{ config: string }>().config;
  const log = openLog(process.stderr, process.env.DAYWIRE_LOG ?? level);
  return { configFile, env: process.env, cwd: process.cwd(), clock: shell.clock, log };
}

function endOnSignal(): AbortSignal {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
    process.off('SIGINT', end).off('SIGTERM', end);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  return ending.signal;
}

async function readInput(limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    // Read to its end all the same: a mail server whose pipe breaks takes it for a failure.
    if (size < limit) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
