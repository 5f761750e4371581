/**
 * Runs an image as a container engine does by "docker run --read-only --tmpfs /tmp --security-opt no-new-privileges":
 * with process ids, mounts and a network of its own, as its user, as process 1.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Image } from './build-image.ts';

export interface Mount {
  /** A folder of this machine. */
  source: string;
  /** Where the image sees it. */
  target: string;
  readOnly?: boolean;
}

/** The mounts end with the namespace. Signals reach the command, because each step replaces the one before. */
const ENTER = `set -e
root=$1 ids=$2; shift 2
ip link set lo up
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for device in null zero random urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
while [ "$1" != -- ]; do
  mount --bind "$1" "$root$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
  shift 3
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$ids" "$root" /usr/bin/env -i "$@"`;

export class Container {
  readonly #image: Image;
  readonly #process: ChildProcess;
  readonly #output: Promise<string>;
  readonly #ended: Promise<[number | null]>;

  /** @param command in place of the image's, after its entrypoint */
  constructor(image: Image, mounts: readonly Mount[], command: readonly string[] = image.cmd) {
    this.#image = image;
    for (const { target } of mounts) mkdirSync(join(image.root, target), { recursive: true });
    const mounted = mounts.flatMap(({ source, target, readOnly }) => [source, target, readOnly ? 'ro' : 'rw']);
    const namespaces = ['--mount', '--pid', '--fork', '--net', '--ipc', '--kill-child'];
    const inside = [...mounted, '--', ...environment(image), ...image.entrypoint, ...command];
    this.#process = spawn('unshare', [...namespaces, 'sh', '-c', ENTER, 'sh', image.root, image.user, ...inside], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#output = Promise.all([text(this.#process.stdout!), text(this.#process.stderr!)]).then((both) =>
      both.join(''),
    );
    this.#ended = once(this.#process, 'close') as Promise<[number | null]>;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Runs a command in it, as "docker exec" does. @returns its exit code and all its output */
  exec(command: readonly string[]): { code: number; output: string } {
    const { root, user } = this.#image;
    const first = this.#firstProcess();
    if (first === null) return { code: -1, output: 'the container has no process' };
    const enter = ['--target', String(first), '--mount', '--pid', '--net', '--ipc'];
    const run = ['chroot', `--userspec=${user}`, root, '/usr/bin/env', '-i', ...environment(this.#image), ...command];
    try {
      return { code: 0, output: execFileSync('nsenter', [...enter, ...run], { encoding: 'utf8', stdio: 'pipe' }) };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
      return { code: status ?? -1, output: `${stdout}${stderr}` };
    }
  }

  /** Sends a signal to its process 1. */
  kill(signal: NodeJS.Signals): void {
    const first = this.#firstProcess();
    if (first !== null) process.kill(first, signal);
  }

  /** Ends it at once, if it runs. */
  async destroy(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async end(): Promise<{ code: number | null; output: string }> {
    const [code] = await this.#ended;
    return { code, output: await this.#output };
  }

  /** The process id, outside, of what "unshare" forked; null before and after. */
  #firstProcess(): number | null {
    const { pid } = this.#process;
    const file = `/proc/${pid}/task/${pid}/children`;
    const children = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
    return children === '' ? null : Number(children);
  }
}

function environment({ workdir, env }: Image): string[] {
  return ['-C', workdir, ...Object.entries({ HOME: '/tmp', ...env }).map(([name, value]) => `${name}=${value}`)];
}

/** An empty volume has the owner and the mode of the image's folder at that place. */
export function makeVolume(image: Image, target: string, source: string): Mount {
  const path = join(image.root, target);
  if (!existsSync(path)) throw new Error(`the image has no folder ${target}`);
  const { uid, gid, mode } = statSync(path);
  mkdirSync(source, { mode: mode & 0o777 });
  chownSync(source, uid, gid);
  return { source, target };
}

/** The user whom the base image of Node has. */
export function addNodeUser(root: string): void {
  for (const [file, entry] of [
    ['etc/passwd', 'node:x:1000:1000::/home/node:/bin/sh'],
    ['etc/group', 'node:x:1000:'],
  ] as const) {
    writeFileSync(join(root, file), `${readFileSync(join(root, file), 'utf8')}${entry}\n`);
  }
}
