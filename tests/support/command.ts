/**
 * Runs the command in its own folder, as an operator would.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { runCommandLine } from '../../src/cli/main.ts';
import type { OpenResolver } from '../../src/delivery/sending-domain/dns-resolver.ts';
import { Mutex } from '../../src/lib/concurrency/bounded-queue.ts';
import { atEndOfFile } from './end-of-file.ts';
import { NO_NETWORK } from './no-network.ts';
import { ROOT, SAMPLE_CONFIG, withoutSources } from './sample.ts';

const bin = join(ROOT, 'bin/daywire.js');

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Folder {
  path: string;
  /** How `run` looks up the sending domain. Default: no look-up succeeds. */
  openResolver: OpenResolver;
  /**
   * Runs `daywire …` in this process, because starting a process takes longer than most commands.
   * @param input for stdin, typed at a terminal with `isTyped`
   */
  run(args: string[], env?: NodeJS.ProcessEnv, input?: string | Buffer, isTyped?: boolean): Promise<Ended>;
  /** Runs `daywire …` in its own process. */
  exec(args: string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
  /** Starts `daywire …`; it is killed at the end of the file if it still runs. */
  spawn(args: string[], env?: NodeJS.ProcessEnv): ChildProcess;
}

/** A new folder with the configuration and articles of the sample, and its outlets if they are named; or empty. */
export function newFolder(content: 'sample' | 'sample with outlets' | 'empty'): Folder {
  const path = mkdtempSync(join(tmpdir(), 'daywire-cli-'));
  // Not earlier: the tests of a file run concurrently.
  atEndOfFile(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  if (content !== 'empty') {
    for (const name of ['config', 'sample']) cpSync(join(ROOT, name), join(path, name), { recursive: true });
    cpSync(SAMPLE_CONFIG, join(path, 'config/daywire.yaml'));
    // Many processes run at the same time.
    editConfig({ path }, 'metrics: 127.0.0.1:9464', 'metrics: 127.0.0.1:0');
    const file = join(path, 'config/daywire.yaml');
    if (content === 'sample') writeFileSync(file, withoutSources(readFileSync(file, 'utf8')));
  }
  const folder: Folder = {
    path,
    openResolver: () => NO_NETWORK,
    run: (args, env, input = '', isTyped = false) => runHere(folder, args, cleanEnv(env), input, isTyped),
    exec: (args, env) =>
      new Promise((done) => {
        execFile(process.execPath, [bin, ...args], { cwd: path, env: cleanEnv(env) }, (error, stdout, stderr) => {
          done({ code: error === null ? 0 : ((error.code as number | undefined) ?? null), stdout, stderr });
        });
      }),
    spawn(args, env) {
      const child = spawn(process.execPath, [bin, ...args], { cwd: path, env: cleanEnv(env) });
      atEndOfFile(() => child.exitCode === null && child.kill('SIGKILL'));
      return child;
    },
  };
  return folder;
}

// A process has only one working folder.
const workingFolder = new Mutex();

async function runHere(
  { path, openResolver }: Folder,
  args: string[],
  env: NodeJS.ProcessEnv,
  input: string | Buffer,
  isTTY: boolean,
): Promise<Ended> {
  const release = await workingFolder.acquire();
  const before = process.cwd();
  process.chdir(path);
  try {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const output = Promise.all([text(stdout), text(stderr)]);
    const stdin = Object.assign(Readable.from([Buffer.from(input)]), { isTTY });
    const streams = { stdin, stdout, stderr };
    const code = await runCommandLine(
      args,
      Object.assign(new EventEmitter(), { env, cwd: () => path, openResolver, ...streams }),
    );
    stdout.end();
    stderr.end();
    const [out, err] = await output;
    return { code, stdout: out, stderr: err };
  } finally {
    process.chdir(before);
    release();
  }
}

/** Sample folders in which a command has run: made once for all files of the worker, because each takes seconds. */
const originals = new Map<string, Promise<string>>();

/** A copy of a sample folder in which `daywire start --once` has run: its edition is delivered. */
export function startedFolder(): Promise<Folder> {
  return copyOf('started', async () => {
    const folder = await scheduledFolder();
    await expectSuccess(folder, ['start', '--once']);
    return folder;
  });
}

/** A copy of a sample folder in which `daywire start --once --role schedule` has run: its edition is pending. */
export function scheduledFolder(): Promise<Folder> {
  return copyOf('scheduled', async () => {
    const folder = newFolder('sample');
    await expectSuccess(folder, ['start', '--once', '--role', 'schedule']);
    return folder;
  });
}

async function copyOf(name: string, make: () => Promise<Folder>): Promise<Folder> {
  let original = originals.get(name);
  if (original === undefined) {
    // The folder that `make` returns is deleted at the end of the file.
    original = make().then(({ path }) => {
      const kept = join(inject('folder'), `${process.pid}-${name}`);
      cpSync(path, kept, { recursive: true });
      return kept;
    });
    originals.set(name, original);
  }
  const copy = newFolder('empty');
  cpSync(await original, copy.path, { recursive: true });
  return copy;
}

async function expectSuccess(folder: Folder, args: string[]): Promise<void> {
  const { code, stderr } = await folder.run(args);
  if (code !== 0) throw new Error(`daywire ${args.join(' ')} ended with ${code}: ${stderr}`);
}

/**
 * Waits until the process prints `pattern`.
 * @returns its first group or the whole match; rejects if the process ends
 */
export function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((found, reject) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match !== null) found(match[1] ?? match[0]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it printed ${pattern}:\n${text}`)));
  });
}

/** Every row of a folder's store, by table. */
export function storedRows({ path }: Folder): Record<string, unknown[]> {
  const database = new DatabaseSync(join(path, 'var/daywire.db'), { readOnly: true });
  try {
    const tables = database.prepare("select name, sql from sqlite_master where type = 'table' order by name").all();
    // The rows of a table without rowid are in the order of its key.
    const orderOf = (sql: unknown): string => (/without rowid/i.test(String(sql)) ? '' : ' order by rowid');
    return Object.fromEntries(
      tables.map(({ name, sql }) => [String(name), database.prepare(`select * from "${name}"${orderOf(sql)}`).all()]),
    );
  } finally {
    database.close();
  }
}

/** Changes the folder's configuration. */
export function editConfig({ path }: Pick<Folder, 'path'>, from: string, to: string): void {
  const file = join(path, 'config/daywire.yaml');
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`config/daywire.yaml has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

/** Leaves the feed `latest` only: a start then takes half as long. */
export function keepOneFeed({ path }: Pick<Folder, 'path'>): void {
  const text = readFileSync(join(path, 'config/daywire.yaml'), 'utf8');
  const [others] = /(?<=\n) {2}- id: 24-hours\n[\s\S]*?(?=\n\n)/.exec(text) ?? [];
  editConfig({ path }, others ?? '  - id: 24-hours', '');
}

/** Leaves the daily newsletter only: commands then need no `--newsletter`. */
export function keepOneNewsletter({ path }: Pick<Folder, 'path'>): void {
  const text = readFileSync(join(path, 'config/daywire.yaml'), 'utf8');
  const [weekly] = /(?<=\n) {2}- id: weekly-roundup\n(?: {4}.*\n)+/.exec(text) ?? [];
  editConfig({ path }, weekly ?? '  - id: weekly-roundup', '');
}

/** Without the variables for daywire that the developer's shell sets. */
function cleanEnv(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('DAYWIRE_'));
  return { ...Object.fromEntries(own), ...env };
}
