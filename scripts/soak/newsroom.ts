/**
 * The newsroom of the soak test: a folder of its own, and in it a real `daywire start` that is killed and started
 * again.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { init } from '../../src/app/init.ts';
import { SECOND } from '../../src/lib/time.ts';

const START_TIMEOUT = 60 * SECOND;
const ROOT = join(import.meta.dirname, '../..');
/** A module that the process loads first. */
const LOOP_DELAY = new URL('./loop-delay.ts', import.meta.url).href;
const LOOP_DELAY_TIMEOUT = 10 * SECOND;

export interface NewsroomOptions {
  folder: string;
  port: number;
  smtpUrl: string;
  /** Of the editions, in UTC. */
  cron: string;
  /** Of an empty PostgreSQL database. Default: SQLite, in the folder. */
  databaseUrl?: string | undefined;
}

/** One reading of the process. */
export interface ProcessSample {
  /** Milliseconds after the start of the process. */
  age: number;
  /** Resident bytes. */
  memory: number;
  openFiles: number;
  /** Milliseconds that `/healthz` took. */
  response: number;
}

/** Of the event loop, in milliseconds; `heap`: bytes after a collection of garbage. */
export interface LoopDelay {
  p99: number;
  max: number;
  heap: number;
}

/** PostgreSQL requires one from the environment. */
const POSTGRES_SECRET = 'the-secret-of-the-soak-test-of-PostgreSQL';

export class Newsroom {
  readonly #options: NewsroomOptions;
  #process: ChildProcess | null = null;
  #startedAt = 0;
  /** Lines of the log that are errors, without what changes from line to line. */
  readonly errors = new Map<string, number>();
  readonly killedAt: number[] = [];
  /** Exits without a kill. */
  crashes: string[] = [];

  constructor(options: NewsroomOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#options.port}`;
  }

  get configFile(): string {
    return join(this.#options.folder, 'config/daywire.yaml');
  }

  get store(): { databaseUrl?: string | undefined; path: string } {
    const { databaseUrl, folder } = this.#options;
    return { databaseUrl, path: join(folder, 'var/daywire.db') };
  }

  get secret(): string {
    if (this.#options.databaseUrl !== undefined) return POSTGRES_SECRET;
    return readFileSync(join(this.#options.folder, 'var/secret'), 'utf8').trim();
  }

  /** Writes the configuration. */
  async create(): Promise<void> {
    const { folder, port, cron } = this.#options;
    const answers = { name: 'The Soak Times', zone: 'UTC', language: 'en', email: 'newsroom@example.com' };
    await init(folder, { ...answers, url: this.url, site: '' }, Date.now());
    rmSync(join(folder, 'articles/example.md'));
    const text = readFileSync(this.configFile, 'utf8');
    const changed = [
      ['cron: "30 7 * * *"', `cron: "${cron}"`],
      ['minimumStories: 3', 'minimumStories: 1'],
      ['transport: file', 'transport: smtp'],
      [`port: ${port}`, `port: ${port}\n  metrics: 'off'`],
      ['hub: self', 'hub: self\n\nsignup: { perHour: 1000000 }'],
    ].reduce((yaml, [from = '', to = '']) => {
      if (!yaml.includes(from)) throw new Error(`the configuration of "daywire init" has no ${from}`);
      return yaml.replace(from, to);
    }, text);
    writeFileSync(this.configFile, changed);
  }

  /** Starts the process, and waits until it responds. */
  async start(): Promise<void> {
    const { folder } = this.#options;
    const child = spawn(process.execPath, ['--import', LOOP_DELAY, join(ROOT, 'bin/daywire.js'), 'start'], {
      cwd: folder,
      env: this.#environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    this.#startedAt = performance.now();
    let rest = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#readLog(line);
    });
    child.once('exit', (code, signal) => {
      if (this.#process === child) this.crashes.push(`it ended with ${code ?? signal}: ${rest}`);
    });
    for (const end = performance.now() + START_TIMEOUT; performance.now() < end; await sleep(50)) {
      if (child.exitCode !== null) throw new Error(`daywire start ended with ${child.exitCode}: ${this.#lastLines()}`);
      if (
        await fetch(`${this.url}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return;
    }
    throw new Error('daywire start does not respond');
  }

  #environment(): NodeJS.ProcessEnv {
    const { smtpUrl, databaseUrl } = this.#options;
    const database =
      databaseUrl === undefined ? {} : { DAYWIRE_DATABASE_URL: databaseUrl, DAYWIRE_SECRET: this.secret };
    const own = { DAYWIRE_SMTP_URL: smtpUrl, DAYWIRE_LOG: 'warn', SOAK_LOOP_DELAY: this.#loopDelayFile };
    return { ...process.env, ...own, ...database };
  }

  get #loopDelayFile(): string {
    return join(this.#options.folder, 'loop-delay.json');
  }

  /**
   * The delay of the event loop since the last call, or since the start.
   * @returns null if the process does not answer
   */
  async readLoopDelay(): Promise<LoopDelay | null> {
    rmSync(this.#loopDelayFile, { force: true });
    this.#process?.kill('SIGUSR2');
    for (const end = performance.now() + LOOP_DELAY_TIMEOUT; performance.now() < end; await sleep(20)) {
      if (existsSync(this.#loopDelayFile)) return JSON.parse(readFileSync(this.#loopDelayFile, 'utf8')) as LoopDelay;
    }
    return null;
  }

  /** Kills the process, and starts another one. */
  async restart(): Promise<void> {
    await this.#end('SIGKILL');
    this.killedAt.push(Date.now());
    await this.start();
  }

  /** Ends the process as an operator does. @returns its exit code */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** @returns null while the process is not running, or where the system has no /proc */
  async sample(): Promise<ProcessSample | null> {
    const pid = this.#process?.pid;
    const startedAt = this.#startedAt;
    const before = performance.now();
    const isUp = await fetch(`${this.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    const response = performance.now() - before;
    if (!isUp || pid === undefined || startedAt !== this.#startedAt) return null;
    const memory = this.residentBytes();
    if (memory === null) return null;
    const openFiles = readdirSync(`/proc/${pid}/fd`).length;
    return { age: before - startedAt, memory, openFiles, response };
  }

  /** @returns null while the process is not running, or where the system has no /proc */
  residentBytes(): number | null {
    const file = `/proc/${this.#process?.pid}/status`;
    if (!existsSync(file)) return null;
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  }

  /** Runs another command of daywire. @returns what it prints */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'bin/daywire.js'), ...args], {
      cwd: this.#options.folder,
      env: this.#environment(),
    });
    return stdout;
  }

  /** Puts an article into the watched folder, complete at once. */
  writeArticle(name: string, text: string): void {
    const path = join(this.#options.folder, 'articles', name);
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  }

  #lastLines(): string {
    return [...this.errors.keys()].slice(-3).join('; ');
  }

  #readLog(line: string): void {
    try {
      const { level, msg, error } = JSON.parse(line) as { level: number | string; msg: string; error?: string };
      if (level !== 'error' && Number(level) < 50) return;
      const text = `${msg}${error === undefined ? '' : `: ${error.split('\n', 1)[0]}`}`.replace(/\d+/g, 'N');
      this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
    } catch {
      if (line !== '') this.errors.set(line, (this.errors.get(line) ?? 0) + 1);
    }
  }
}
