/**
 * The command line: arguments become one call each, and what comes back becomes words and an exit code. The commands themselves stand
 * in cli-*.ts; bin/daywire.js gives it the process.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type ProcessEnv, withAppContext } from '../app/app-context.ts';
import { openProgress } from '../app/progress.ts';
import { openLog } from '../lib/log.ts';
import type { AddCommands, CliContext } from './context.ts';

const FAILED = 1;
const USAGE = 2;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Only what is asked for is loaded: a mail server runs `daywire bounce` for each message. */
const COMMANDS: { words: string[]; load(): Promise<AddCommands> }[] = [
  {
    words: ['init', 'check', 'status', 'start'],
    load: async () => (await import('./newsroom.ts')).addNewsroomCommands,
  },
  {
    words: ['import', 'publish', 'compose', 'preview'],
    load: async () => (await import('./articles.ts')).addArticleCommands,
  },
  { words: ['readers'], load: async () => (await import('./readers.ts')).addReaderCommands },
  { words: ['deliver', 'bounce'], load: async () => (await import('./delivery.ts')).addDeliveryCommands },
  { words: ['subscribers'], load: async () => (await import('./subscribers.ts')).addSubscriberCommands },
  {
    words: ['migrate', 'backup', 'restore', 'schema'],
    load: async () => (await import('./store.ts')).addStoreCommands,
  },
];

/** What a process gives to its command line. It must stand in `cwd()`: paths among the arguments are read from there. */
export type CliIo = Pick<NodeJS.Process, 'env' | 'cwd'> & {
  /** Tell of signals. */
  on(signal: NodeJS.Signals, listener: () => void): void;
  off(signal: NodeJS.Signals, listener: () => void): void;
  stdin: AsyncIterable<Buffer>;
  stdout: Output;
  stderr: Output;
};

export type Output = NodeJS.WritableStream & { isTTY?: boolean; columns?: number; fd?: number; destroyed?: boolean };

/**
 * Runs one command to its end.
 * @param args what stands behind the command's name
 * @returns the exit code: 0, 1 where something failed, 2 for wrong usage, or the command's own
 */
export async function runCommandLine(args: readonly string[], world: CliIo): Promise<number> {
  const { env, stdout, stderr } = world;
  let exitCode = 0;
  const progress = openProgress(stderr);
  const program = new Command('daywire')
    .description("Publishes a newsroom's articles as feeds and as a daily roundup by email, on a schedule.")
    .version(version)
    .option('-c, --config <file>', 'the configuration', env.DAYWIRE_CONFIG ?? 'config/daywire.yaml')
    .option('--debug', 'show the stack trace of an error')
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .showHelpAfterError('(daywire --help lists the commands)')
    .exitOverride();
  const surroundings = (level: string): ProcessEnv => ({
    configFile: program.opts<{ config: string }>().config,
    env,
    cwd: world.cwd(),
    clock: Date.now,
    log: openLog(stderr, env.DAYWIRE_LOG ?? level),
  });
  const complain = (line: string): void => {
    stderr.write(`daywire: ${line}\n`);
  };
  const cli: CliContext = {
    withApp: (work, level = 'warn') => withAppContext(surroundings(level), work),
    processEnv: surroundings,
    env,
    print: (line) => stdout.write(`${line}\n`),
    printError: complain,
    fail: (code = FAILED) => {
      exitCode = code;
    },
    endOnSignal: () => endOnSignal(world),
    hasListener: () => !stdout.destroyed,
    readInput: (limit) => readInput(world.stdin, limit),
    progress,
    clock: Date.now,
    version,
  };
  const asked = COMMANDS.filter(({ words }) => words.some((word) => args.includes(word)));
  for (const { load } of asked.length > 0 ? asked : COMMANDS) (await load())(program, cli);

  // Whoever read our lines may have had enough of them (`| head`): what is under way goes on, unheard.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    progress.clear();
    // Commander has said what is wrong; its own code for help and version is 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    for (const line of (error instanceof Error ? error.message : String(error)).split('\n')) complain(line);
    if (program.opts<{ debug?: boolean }>().debug && error instanceof Error) stderr.write(`${error.stack}\n`);
    return FAILED;
  }
}

const ENDING = ['SIGINT', 'SIGTERM'] as const;

function endOnSignal(world: CliIo): AbortSignal {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
    for (const signal of ENDING) world.off(signal, end);
  };
  for (const signal of ENDING) world.on(signal, end);
  return ending.signal;
}

async function readInput(stdin: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    // Read to its end all the same: a mail server whose pipe breaks takes it for a failure.
    if (size < limit) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
