/** The command line: arguments become one call, its result becomes text and an exit code. bin/daywire.js calls it. */
import { Command, CommanderError } from 'commander';
import { COMMAND_MODULES } from '../app/commands.ts';
import { openParts } from '../app/context-parts.ts';
import { type AppContext, type ProcessEnv, withAppContext } from '../core/app-context.ts';
import { openOutput } from '../core/cli/output.ts';
import { openProgress } from '../core/cli/progress.ts';
import { ConfigError } from '../core/config/config.ts';
import { SecretError } from '../core/config/signing-secrets.ts';
import { type OpenResolver, openNodeResolver, type ResolvingContext } from '../delivery/sending-domain/dns-resolver.ts';
import { LogError, openLog } from '../lib/log.ts';
import { VERSION } from '../lib/version.ts';

const FAILED = 1;
const USAGE = 2;
/** EX_CONFIG of sysexits.h: no restart corrects it. */
const WRONG_CONFIGURATION = 78;
const CONFIGURATION_ERRORS = [ConfigError, SecretError, LogError];

/** What the process provides. Its working folder must be `cwd()`: paths among the arguments are relative to it. */
export type CliIo = Pick<NodeJS.Process, 'env' | 'cwd'> & {
  on(event: NodeJS.Signals, listener: () => void): void;
  on(event: 'unhandledRejection', listener: (reason: unknown) => void): void;
  off(event: NodeJS.Signals, listener: () => void): void;
  stdin: AsyncIterable<Buffer> & { isTTY?: boolean };
  stdout: OutputStream;
  stderr: OutputStream;
  /** How the sending domain is looked up, instead of in the DNS. */
  openResolver?: OpenResolver;
};

type OutputStream = NodeJS.WritableStream & {
  isTTY?: boolean;
  columns?: number;
  fd?: number;
  destroyed?: boolean;
};

interface ProgramOptions {
  config: string;
  debug?: boolean;
}

/**
 * Runs one command to its end.
 * @param args without the name of the program
 * @returns the exit code: 0, 1 where something failed, 2 for wrong usage, 78 for a wrong configuration, or the
 *   command's own
 */
export async function runCommandLine(args: readonly string[], io: CliIo): Promise<number> {
  const { stderr } = io;
  const program = createProgram(io);
  const options = (): ProgramOptions => program.opts();
  const cli = createContext(io, options);
  const named = COMMAND_MODULES.filter(({ commands }) => commands.some((command) => args.includes(command)));
  for (const { heading, load } of named.length > 0 ? named : COMMAND_MODULES) {
    program.commandsGroup(heading);
    (await load())(program, cli);
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    // Commander has printed the reason; its own code for help and version is 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    for (const line of message.split('\n')) cli.printError(line);
    if (options().debug) stderr.write(`${stack}\n`);
    return CONFIGURATION_ERRORS.some((type) => error instanceof type) ? WRONG_CONFIGURATION : FAILED;
  } finally {
    cli.progress.clear();
    await cli.close();
  }
}

function createProgram({ env, stdout, stderr }: CliIo): Command {
  return new Command('daywire')
    .description("Publishes a newsroom's articles as feeds and as a daily roundup by email, on a schedule.")
    .version(VERSION)
    .option('-c, --config <file>', 'the configuration', env.DAYWIRE_CONFIG ?? 'config/daywire.yaml')
    .option('--debug', 'show the stack trace of an error')
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .showHelpAfterError('(daywire --help lists the commands)')
    .exitOverride();
}

/** @param options known once the arguments are parsed */
function createContext(
  io: CliIo,
  options: () => ProgramOptions,
): ResolvingContext & { exitCode: number; close(): Promise<void> } {
  const { env, stdout, stderr } = io;
  const questions = openQuestions(io);
  const progress = openProgress(stderr);
  const output = openOutput(stdout);
  const processEnv = (level: string): ProcessEnv => ({
    configFile: options().config,
    env,
    cwd: io.cwd(),
    clock: Date.now,
    log: openLog(stderr, env.DAYWIRE_LOG ?? level),
  });
  const cli = {
    exitCode: 0,
    withApp: (work: (app: AppContext) => Promise<void>, level = 'error', isLasting = false) =>
      withAppContext({ ...processEnv(level), isLasting }, openParts, async (app) => {
        await work(app);
        // A process that is stopped has not failed.
        if (!isLasting && app.alerts.storage.failing().length > 0) cli.fail();
      }),
    processEnv,
    env,
    print(line: string) {
      progress.clear();
      output.write(`${line}\n`);
    },
    printError(line: string) {
      progress.clear();
      stderr.write(`daywire: ${line}\n`);
    },
    fail(code = FAILED) {
      cli.exitCode = code;
    },
    stopSignal: () => stopSignal(io),
    onHangup: (listener: () => void) => io.on('SIGHUP', listener),
    onUnhandledRejection: (listener: (reason: unknown) => void) => io.on('unhandledRejection', listener),
    printPart(text: string) {
      progress.clear();
      return output.writePart(text);
    },
    readInput: (limit: number) => readInput(io.stdin, limit),
    ask: questions.ask,
    openResolver: io.openResolver ?? openNodeResolver,
    close: questions.close,
    progress,
    clock: Date.now,
    version: VERSION,
  };
  return cli;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function stopSignal(io: CliIo): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort();
    for (const signal of STOP_SIGNALS) io.off(signal, stop);
  };
  for (const signal of STOP_SIGNALS) io.on(signal, stop);
  return stopping.signal;
}

async function readInput(stdin: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // To the end, also beyond the limit: a mail server treats a broken pipe as a failure.
  for await (const chunk of stdin) {
    if (size < limit) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}

/** Asks questions on a terminal. A line that was typed ahead answers the next question. */
function openQuestions({ stdin, stderr }: CliIo) {
  const decoder = new TextDecoder();
  let chunks: AsyncIterator<Buffer> | null = null;
  let typed = '';
  return {
    async ask(question: string): Promise<string | null> {
      if (!stdin.isTTY) return null;
      stderr.write(question);
      chunks ??= stdin[Symbol.asyncIterator]();
      while (!typed.includes('\n')) {
        const chunk = await chunks.next();
        if (chunk.done === true) return null;
        typed += decoder.decode(chunk.value, { stream: true });
      }
      const end = typed.indexOf('\n');
      const line = typed.slice(0, end).trim();
      typed = typed.slice(end + 1);
      return line;
    },
    /** An open stdin would keep the process alive. */
    async close(): Promise<void> {
      await chunks?.return?.();
    },
  };
}
