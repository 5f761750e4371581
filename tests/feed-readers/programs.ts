/**
 * Runs the feed readers that people use, as they come from Debian. Where one is missing its tests are skipped, and say so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Debian's own Python, for which its modules are packaged, whatever other one comes first on the PATH. */
export const PYTHON = '/usr/bin/python3';

/** Whether that can be run here; otherwise says which package of Debian has it. */
export function isInstalled(name: string, command: string, args: string[]): boolean {
  const found = spawnSync(command, args, { stdio: 'ignore', timeout: 30_000 }).status === 0;
  if (!found) console.warn(`skipped: ${name} is not installed (Debian: ${name})`);
  return found;
}

/**
 * Runs a program to its end.
 * @param home its home folder: it sees no configuration of whoever runs the tests
 * @returns what it said
 * @throws Error with what it complained of, where it failed
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
  // A reader that wants less than it is given closes its side.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await ended;
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaint || said}`);
  return said;
}
