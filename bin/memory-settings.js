/**
 * Settings for less resident memory, which take effect only when a process begins.
 * docs/decisions/2026-11-27-resident-memory.md has what they save.
 */
import { accessSync, constants } from 'node:fs';

/** The commands that take long: lists of a million subscribers do. */
export const COMMANDS = ['start', 'import', 'subscribers'];

/** Of V8, in MiB: the young generation has two semi-spaces. By default they grow to 32 or more, and stay so. */
const FLAG = '--max-semi-space-size';
const SEMI_SPACE = 8;

/** Of glibc (mallopt(3)): freed memory goes back to the system. Other C libraries ignore them. */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '32768', MALLOC_TRIM_THRESHOLD_: '1048576' };

/**
 * Starts the program of this process again in its place (execve(2)), with the settings. Process id, arguments and
 * standard streams stay. Settings of the operator have priority. Does nothing if the flag is set already, on Windows,
 * where it is not permitted, and in a child that its parent talks to over an IPC channel, which would close.
 */
export function restartWithMemorySettings(process) {
  const { argv, channel, env, execArgv, execPath, platform } = process;
  const hasFlag = [...execArgv, env.NODE_OPTIONS ?? ''].some((flags) => flags.includes(FLAG));
  if (hasFlag || channel !== undefined || platform === 'win32' || !canExecute(process)) return;
  process.execve(execPath, [execPath, `${FLAG}=${SEMI_SPACE}`, ...execArgv, ...argv.slice(1)], { ...MALLOC, ...env });
}

/** Asked first, because a failing execve ends the process. */
function canExecute({ execPath, permission }) {
  // Of node --permission.
  if (permission !== undefined && !permission.has('child')) return false;
  try {
    accessSync(execPath, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
