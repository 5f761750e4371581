/**
 * A clean root in a second: the C and C++ libraries that Node needs, a shell, and basic tools. Less than any Linux
 * distribution has, so what works here lacks nothing that a machine may lack.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CleanRoot } from './clean-root.ts';

/** Of coreutils: what npm's scripts and a README need. */
const TOOLS = ['env', 'cat', 'cp', 'ls', 'mkdir', 'mv', 'rm', 'sed'];

/** @param path an empty or missing folder */
export function makeBareRoot(path: string): CleanRoot {
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(path, 'usr', folder), { recursive: true });
    symlinkSync(`usr/${folder}`, join(path, folder));
  }
  const root = new CleanRoot(path);
  chmodSync(join(path, 'tmp'), 0o1777);
  root.copy('/bin/sh', 'usr/bin/sh');
  for (const tool of TOOLS) root.copy(`/usr/bin/${tool}`, `usr/bin/${tool}`);
  const programs = [process.execPath, '/bin/sh', ...TOOLS.map((tool) => `/usr/bin/${tool}`)];
  for (const library of new Set(programs.flatMap(sharedLibraries))) root.copy(library, library);
  return root;
}

/** The libraries, and the loader, of a program, as absolute paths. */
function sharedLibraries(program: string): string[] {
  const paths = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \(0x)/g) ?? [];
  return paths.filter((path) => existsSync(path));
}
