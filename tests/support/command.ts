/**
 * Runs the command in a folder of its own, as an operator would.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommandLine } from '../../src/cli/main.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { atEndOfFile } from './end-of-file.ts';

const root = resolve(import.meta.dirname, '../..');
const bin = join(root, 'bin/daywire.js');

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Folder {
  path: string;
  /**
   * Runs `daywire …` there and waits for its end: all of it but the process, which takes longer to start than most commands to run.
   * @param input what stands on its stdin
   */
  run(args: string[], env?: NodeJS.ProcessEnv, input?: string | Buffer): Promise<Ended>;
  /** The same in a process of its own. */
  exec(args: string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
  /** Starts `daywire …` there; it is killed at the end if it still runs. */
  spawn(args: string[], env?: NodeJS.ProcessEnv): ChildProcess;
}

/** A new folder; with the sample's configuration and stories, or empty. */
export function newFolder(content: 'sample' | 'empty'): Folder {
  const path = mkdtempSync(join(tmpdir(), 'daywire-cli-'));
  // Not before: a file's tests run side by side.
  atEndOfFile(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  if (content === 'sample') {
    for (const name of ['config', 'sample']) cpSync(join(root, name), join(path, name), { recursive: true });
  }
  return {
    path,
    run: (args, env, input = '') => runHere(path, args, cleanEnv(env), input),
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
}

// There is but one working folder.
const turns = new Mutex();

async function runHere(path: string, args: string[], env: NodeJS.ProcessEnv, input: string | Buffer): Promise<Ended> {
  const endTurn = await turns.acquire();
  const before = process.cwd();
  process.chdir(path);
  try {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const said = Promise.all([text(stdout), text(stderr)]);
    const signals = new EventEmitter();
    const world = { env, cwd: () => path, stdin: Readable.from([Buffer.from(input)]), stdout, stderr };
    const code = await runCommandLine(args, Object.assign(signals, world));
    stdout.end();
    stderr.end();
    const [out, err] = await said;
    return { code, stdout: out, stderr: err };
  } finally {
    process.chdir(before);
    endTurn();
  }
}

let started: Promise<Folder> | null = null;

/** A sample folder in which `daywire start --once` has run: a copy of one that all tests of a file share. */
export async function startedFolder(): Promise<Folder> {
  started ??= (async () => {
    atEndOfFile(() => {
      started = null;
    });
    const folder = newFolder('sample');
    const { code, stderr } = await folder.run(['start', '--once']);
    if (code !== 0) throw new Error(`daywire start --once ended with ${code}: ${stderr}`);
    return folder;
  })();
  const copy = newFolder('empty');
  cpSync((await started).path, copy.path, { recursive: true });
  return copy;
}

/** Resolves once the process has printed a line that matches; rejects if it ends before. */
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

/** A Markdown file of a story; `more`: further lines of front matter. */
export function storyFile(id: string, more = ''): string {
  return `---\nid: ${id}\nheadline: Headline of ${id}\nsection: world\ndek: A dek.\n${more}---\n\nA paragraph of ${id}.\n`;
}

/** Changes the folder's configuration. */
export function editConfig({ path }: Folder, from: string, to: string): void {
  const file = join(path, 'config/daywire.yaml');
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`config/daywire.yaml has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

/** What a developer's own shell sets must not reach the tests. */
function cleanEnv(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('DAYWIRE_'));
  return { ...Object.fromEntries(own), ...env };
}
