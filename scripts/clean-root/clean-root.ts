/**
 * A root folder for chroot(8) with nothing of a developer's machine in it: no compiler, no git, no Python. Its
 * processes use the network and the kernel of this machine. Needs Linux, and root for chroot and mount.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

/** The unprivileged user of every clean root, and its home. */
export const USER = { name: 'daywire', id: 4711, home: '/home/daywire' };

export interface RunOptions {
  /** Default: the unprivileged user. */
  asRoot?: boolean;
  /** Default: the home of the user. */
  cwd?: string;
  /** The whole environment, besides PATH and HOME. */
  env?: NodeJS.ProcessEnv;
}

/**
 * The mounts live in a namespace of the process, so they end with it. No step forks: a signal to the process that is
 * started here reaches the command.
 */
const ENTER = `set -e
root=$1 ids=$2; shift 2
mount -t proc proc "$root/proc"
for device in null zero random urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
exec chroot --userspec="$ids" "$root" /usr/bin/env -i "$@"`;

export class CleanRoot {
  readonly path: string;

  /** @param path a folder with `/usr/bin/env` and its libraries; gets what processes need besides */
  constructor(path: string) {
    this.path = path;
    for (const folder of ['proc', 'dev', 'tmp', 'root', 'etc/ssl/certs', USER.home]) {
      mkdirSync(join(path, folder), { recursive: true });
    }
    for (const device of ['null', 'zero', 'random', 'urandom']) {
      if (!existsSync(join(path, 'dev', device))) writeFileSync(join(path, 'dev', device), '');
    }
    const { name, id, home } = USER;
    addLine(join(path, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh');
    addLine(join(path, 'etc/passwd'), `${name}:x:${id}:${id}::${home}:/bin/sh`);
    addLine(join(path, 'etc/group'), 'root:x:0:');
    addLine(join(path, 'etc/group'), `${name}:x:${id}:`);
    for (const file of ['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt']) {
      if (existsSync(file)) cpSync(realpathSync(file), join(path, file));
    }
    chownSync(join(path, home), id, id);
  }

  /** Copies a file or a folder into the root, at another place. */
  copy(from: string, to: string): void {
    const target = join(this.path, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(realpathSync(from), target, { recursive: true, verbatimSymlinks: true });
  }

  /** @param target as seen from within the root */
  link(target: string, at: string): void {
    mkdirSync(dirname(join(this.path, at)), { recursive: true });
    symlinkSync(target, join(this.path, at));
  }

  /** Installs a Node and an npm: the binary, and the folder `npm` of a `node_modules`. */
  addNode(binary: string, npm: string): void {
    this.copy(binary, 'usr/local/bin/node');
    this.copy(npm, 'usr/local/lib/node_modules/npm');
    for (const name of ['npm', 'npx']) {
      this.link(`../lib/node_modules/npm/bin/${name}-cli.js`, `usr/local/bin/${name}`);
    }
  }

  /** Starts a command with its output in pipes. */
  start(command: string[], { asRoot = false, cwd, env = {} }: RunOptions = {}): ChildProcess {
    const home = asRoot ? '/root' : USER.home;
    const ids = asRoot ? '0:0' : `${USER.id}:${USER.id}`;
    const variables = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, ...env };
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value ?? ''}`);
    const inside = ['-C', cwd ?? home, ...assignments, ...command];
    return spawn('unshare', ['--mount', '--', 'sh', '-c', ENTER, 'sh', this.path, ids, ...inside], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /**
   * Runs a command to its end.
   * @returns its standard output
   * @throws Error with all its output where it does not end with 0
   */
  async run(command: string[], options?: RunOptions): Promise<string> {
    const child = this.start(command, options);
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    if (code === 0) return stdout;
    throw new Error(`"${command.join(' ')}" ended with ${code ?? signal}:\n${stdout}${stderr}`);
  }
}

/** Adds an entry to a file such as /etc/passwd, unless it has one with that name. */
function addLine(file: string, entry: string): void {
  const [name] = entry.split(':');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  if (!lines.some((line) => line.startsWith(`${name}:`))) appendFileSync(file, `${entry}\n`);
}

/** Why no clean root can be made here; null where it can. */
export function missingForCleanRoot(): string | null {
  if (process.platform !== 'linux') return 'a clean root needs Linux';
  return process.getuid?.() === 0 ? null : 'a clean root needs root, for chroot and mount';
}
