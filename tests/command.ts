/**
 * Runs the real command in a folder of its own, as an operator would.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'bin/daywire.js');

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Folder {
  path: string;
  /** Runs `daywire …` there and waits for its end. */
  run(args: string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
  /** Starts `daywire …` there; it is killed after the test if it still runs. */
  spawn(args: string[], env?: NodeJS.ProcessEnv): ChildProcess;
}

/** A new folder; with the sample's configuration and stories, or empty. Deleted after the test. */
export function newFolder(content: 'sample' | 'empty'): Folder {
  const path = mkdtempSync(join(tmpdir(), 'daywire-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  if (content === 'sample') {
    for (const name of ['config', 'sample']) cpSync(join(root, name), join(path, name), { recursive: true });
  }
  return {
    path,
    run: (args, env) =>
      new Promise((done) => {
        execFile(process.execPath, [bin, ...args], { cwd: path, env: cleanEnv(env) }, (error, stdout, stderr) => {
          done({ code: error === null ? 0 : ((error.code as number | undefined) ?? null), stdout, stderr });
        });
      }),
    spawn(args, env) {
      const child = spawn(process.execPath, [bin, ...args], { cwd: path, env: cleanEnv(env) });
      onTestFinished(() => {
        if (child.exitCode === null) child.kill('SIGKILL');
      });
      return child;
    },
  };
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

/** What a developer's own shell sets must not reach the tests. */
function cleanEnv(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('DAYWIRE_'));
  return { ...Object.fromEntries(own), ...env };
}
