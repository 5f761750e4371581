/**
 * Runs a checkout's daywire in a newsroom's folder, as its users do: a command, or `daywire start`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE } from '../src/lib/time.ts';
import { peakResidentMiB, processorSeconds, residentMiB } from './process-tree.ts';

const LOOK_EVERY = 100;
const START_TIMEOUT = 20 * MINUTE;
const STOP_TIMEOUT = 2 * MINUTE;
const COMMAND_TIMEOUT = 60 * MINUTE;

export interface DaywireOptions {
  /** Of the newsroom. */
  folder: string;
  /** The folder of daywire, with its `node_modules/`. */
  checkout: string;
  /** Added to that of this process. */
  environment: Record<string, string>;
}

export interface CommandResult {
  seconds: number;
  /** Of the process and its children, to a tenth of a second. */
  processorSeconds: number;
  /** Resident memory of the process and its children at its highest. */
  peakMiB: number;
}

export class DaywireProcess {
  readonly folder: string;
  readonly #options: DaywireOptions;
  #running: ChildProcess | null = null;

  constructor(options: DaywireOptions) {
    this.folder = options.folder;
    this.#options = options;
  }

  /** Of `daywire start`. @throws Error if it does not run */
  get pid(): number {
    const pid = this.#running?.pid;
    if (pid === undefined) throw new Error('daywire does not run');
    return pid;
  }

  /** Runs a command to its end. @throws Error with what it prints, if it fails */
  async run(args: string[]): Promise<CommandResult> {
    const start = performance.now();
    const child = this.#spawn(args, 'warn');
    const exited = once(child, 'exit');
    const output = Promise.all([child.stdout, child.stderr].map((stream) => text(stream as NodeJS.ReadableStream)));
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT);
    let peakMiB = 0;
    let usedSeconds = 0;
    const watching = setInterval(() => {
      const pid = child.pid as number;
      peakMiB = Math.max(peakMiB, residentMiB(pid), peakResidentMiB(pid));
      usedSeconds = Math.max(usedSeconds, processorSeconds(pid));
    }, LOOK_EVERY);
    const [code, signal] = (await exited) as [number | null, string | null];
    clearInterval(watching);
    clearTimeout(timer);
    if (code !== 0) throw new Error(`daywire ${args[0]} ended with ${code ?? signal}: ${(await output).join('\n')}`);
    return { seconds: (performance.now() - start) / 1_000, processorSeconds: usedSeconds, peakMiB };
  }

  /** Runs `daywire start`, until its first run is done. @throws Error with the end of its log, if it ends before */
  async start(): Promise<void> {
    const child = this.#spawn(['start', '--json'], 'error');
    this.#running = child;
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000);
    });
    const stopWaiting = new AbortController();
    const late = sleep(START_TIMEOUT, 'its first run takes too long', stopWaiting).catch(() => '');
    const ended = once(child, 'exit').then(([code]) => `it ended with ${code}: ${log}`);
    // It prints the first run when that is done.
    const started = once(child.stdout as NodeJS.ReadableStream, 'data').then(() => null);
    const problem = await Promise.race([started, ended, late]);
    stopWaiting.abort();
    if (problem !== null) throw new Error(`daywire start: ${problem}`);
    child.stdout?.resume();
  }

  /** Ends `daywire start`, if it runs. */
  async stop(): Promise<void> {
    const child = this.#running;
    this.#running = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
    await exited;
    clearTimeout(timer);
  }

  /** Writes a file of the newsroom whole: it gets its name when it is complete. @returns its path */
  write(name: string, content: string): string {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.tmp`, content);
    renameSync(`${file}.tmp`, file);
    return file;
  }

  #spawn(args: string[], log: string): ChildProcess {
    const { checkout, folder, environment } = this.#options;
    const child = spawn(join(checkout, 'node_modules/.bin/node'), [join(checkout, 'bin/daywire.js'), ...args], {
      cwd: folder,
      env: { ...process.env, DAYWIRE_LOG: log, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // It must not outlive this process.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return child;
  }
}
