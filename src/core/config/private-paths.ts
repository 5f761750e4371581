/**
 * The files and folders of personal data. daywire creates them readable by its own user alone; folders that the
 * operator made keep their modes.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';

/**
 * Names what other users can read, each with the command that changes it. The folder of a store outside of `paths.data`
 * is the operator's, and is not looked at; nor is `paths.data` where it contains what a web server reads.
 */
export function readableByOthers({ paths, secrets }: Pick<Config, 'paths' | 'secrets'>): string[] {
  // Windows has no permission bits: every file there is 666.
  if (process.platform === 'win32') return [];
  const { data, feeds, media } = paths;
  const isPublic = [feeds, media].some((path) => path === data || path?.startsWith(`${data}/`));
  const folders = [...(isPublic ? [] : [data]), join(data, 'mail'), join(data, 'preview')];
  const files = secrets.databaseUrl === undefined ? ['', '-wal', '-shm'].map((suffix) => paths.store + suffix) : [];
  return [...folders.map((path) => warningOf(path, '700')), ...files.map((path) => warningOf(path, '600'))].filter(
    (warning) => warning !== null,
  );
}

function warningOf(path: string, wanted: '600' | '700'): string | null {
  const mode = existsSync(path) ? statSync(path).mode & 0o777 : 0;
  if ((mode & 0o077) === 0) return null;
  return `${path} can be read by other users (mode ${mode.toString(8)}): run "chmod ${wanted} ${quote(path)}"`;
}

/** For a POSIX shell. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
