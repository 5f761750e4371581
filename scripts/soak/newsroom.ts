/**
 * The newsroom of the soak test: a folder of its own, and in it a real `daywire start` that is killed and started
 * again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { init } from '../../src/app/init.ts';
import { SECOND } from '../../src/lib/time.ts';

const START_TIMEOUT = 60 * SECOND;
const ROOT = join(import.meta.dirname, '../..');

export interface NewsroomOptions {
  folder: string;
  port: number;
  smtpUrl: string;
  /** Minutes between two editions. */
  editionEvery: number;
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

  get storePath(): string {
    return join(this.#options.folder, 'var/daywire.db');
  }

  get secret(): string {
    return readFileSync(join(this.#options.folder, 'var/secret'), 'utf8').trim();
  }

  /** Writes the configuration. */
  async create(): Promise<void> {
    const { folder, port, editionEvery } = this.#options;
    const answers = { name: 'The Soak Times', zone: 'UTC', language: 'en', email: 'newsroom@example.com' };
    await init(folder, { ...answers, url: this.url }, Date.now());
    const text = readFileSync(this.configFile, 'utf8');
    const changed = [
      ['pollSeconds: 5', 'pollSeconds: 1'],
      ['cron: "30 7 * * *"', `cron: "*/${editionEvery} * * * *"`],
      ['minimumStories: 3', 'minimumStories: 1'],
      ['transport: file', 'transport: smtp'],
      ['port: 8080', `port: ${port}\n  metrics: 'off'`],
      ['hub: self', 'hub: self\n\nsignup: { perHour: 1000000, perDomainPerHour: 100000 }'],
    ].reduce((yaml, [from = '', to = '']) => {
      if (!yaml.includes(from)) throw new Error(`the configuration of "daywire init" has no ${from}`);
      return yaml.replace(from, to);
    }, text);
    writeFileSync(this.configFile, changed);
  }

  /** Starts the process, and waits until it responds. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [join(ROOT, 'bin/daywire.js'), 'start'], {
      cwd: this.#options.folder,
      env: { ...process.env, DAYWIRE_SMTP_URL: this.#options.smtpUrl, DAYWIRE_LOG: 'warn' },
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
      if (child.exitCode !== null) throw new Error(`daywire start ended with ${child.exitCode}`);
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
    const isUp = await fetch(`${this.url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    const response = performance.now() - before;
    if (!isUp || pid === undefined || startedAt !== this.#startedAt || !existsSync(`/proc/${pid}/status`)) return null;
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const openFiles = readdirSync(`/proc/${pid}/fd`).length;
    return { age: before - startedAt, memory: Number(kilobytes) * 1024, openFiles, response };
  }

  /** Puts an article into the watched folder, complete at once. */
  writeArticle(name: string, text: string): void {
    const path = join(this.#options.folder, 'articles', name);
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
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
