/**
 * Settings for less resident memory, which take effect only when a process begins.
 * docs/decisions/2026-11-27-resident-memory.md has what they save.
 */
import { accessSync, constants } from 'node:fs';

/**
 * By command. `subscribers import` is a command of `subscribers`.
 *
 * `semiSpace`: MiB; V8's young generation of each thread has two semi-spaces, whatever limit the thread was started
 * with. By default they grow to 32 or more, and stay so. `mmapThreshold`: bytes from which malloc maps a buffer of its
 * own, and gives it back to the system when it is freed; mapping takes time. From 64 KiB on it costs an import nothing;
 * from 32 KiB on, 5 %.
 */
const SETTINGS = {
  start: { semiSpace: 4, mmapThreshold: 32_768 },
  subscribers: { semiSpace: 8, mmapThreshold: 32_768 },
  import: { semiSpace: 8, mmapThreshold: 65_536 },
};
const FLAG = '--max-semi-space-size';
/** Percent by which V8's old generation may grow before its garbage is collected; by default up to 300. */
const GROWTH = '--heap-growing-percent=40';

/**
 * Of glibc (mallopt(3)); other C libraries ignore them. All threads share one heap: free memory of one would be of no
 * use in the others. Free memory at its end is given back from 1 MiB on.
 */
const mallocSettings = (mmapThreshold) => ({
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(mmapThreshold),
  MALLOC_TRIM_THRESHOLD_: '1048576',
});

/**
 * @returns the command among `args` that has settings, or null: the others are short, and beginning again takes 50 ms
 */
export function commandWithSettings(args) {
  return Object.keys(SETTINGS).find((command) => args.includes(command)) ?? null;
}

/**
 * Starts the program of this process again in its place (execve(2)), with the settings. Process id, arguments and
 * standard streams stay. Settings of the operator have priority. Does nothing if the flag is set already, on Windows,
 * where it is not permitted, and in a child that its parent talks to over an IPC channel, which would close.
 * @param command one of those that have settings
 */
export function restartWithMemorySettings(process, command) {
  const { argv, channel, env, execArgv, execPath, platform } = process;
  const hasFlag = [...execArgv, env.NODE_OPTIONS ?? ''].some((flags) => flags.replaceAll('_', '-').includes(FLAG));
  if (hasFlag || channel !== undefined || platform === 'win32' || !canExecute(process)) return;
  const { semiSpace, mmapThreshold } = SETTINGS[command];
  const settings = { ...mallocSettings(mmapThreshold), ...env };
  process.execve(execPath, [execPath, `${FLAG}=${semiSpace}`, GROWTH, ...execArgv, ...argv.slice(1)], settings);
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
