/**
 * Starts a process of a benchmark, which prints JSON, one value a line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DeliveringSetup } from './delivering-server.ts';

export interface BenchProcess {
  /** The next value that it prints. @throws if it ends before */
  next<T>(): Promise<T>;
  /** Lets it go on. */
  go(): void;
  /** Closes its input, and waits until it has ended. */
  end(): Promise<void>;
}

/** @param script beside this file; its argument is `setup` as JSON. It has a compile cache, as the command has */
export function startBenchProcess(script: string, setup: DeliveringSetup): BenchProcess {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(setup.folder, 'compiled') };
  const args = [fileURLToPath(new URL(script, import.meta.url)), JSON.stringify(setup)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async next<T>() {
      const line = await lines.next();
      if (line.done) throw new Error(`${script} ended early`);
      return JSON.parse(line.value) as T;
    },
    go: () => child.stdin.write('go\n'),
    async end() {
      child.stdin.end();
      await exited;
    },
  };
}
