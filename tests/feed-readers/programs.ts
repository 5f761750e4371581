/**
 * Runs feed readers as packaged by Debian. The tests of a missing one are skipped with a message.
 */
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Debian's Python, which its packaged modules belong to. Another one may be first on the PATH. */
export const PYTHON = '/usr/bin/python3';

/** Whether the program runs; otherwise prints the name of its Debian package. */
export function isInstalled(name: string, command: string, args: string[]): boolean {
  const found = spawnSync(command, args, { stdio: 'ignore', timeout: 30_000 }).status === 0;
  if (!found) console.warn(`skipped: ${name} is not installed (Debian: ${name})`);
  return found;
}

/**
 * Runs a program until it exits.
 * @param home its home folder, so that it does not read the configuration of the current user
 * @returns its output
 * @throws Error with its error output if it fails
 */
export async function run(
  command: string,
  args: string[],
  { home, input = '' }: { home: string; input?: string },
): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_DATA_HOME: home,
    LANG: 'C.UTF-8',
    NO_PROXY: '*',
  };
  const child = spawn(command, args, { env, cwd: home });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  // A program that does not read all of its input closes the pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await ended;
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors || output}`);
  return output;
}
