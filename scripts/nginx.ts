/**
 * Starts nginx in a temporary folder, with the shipped deploy/nginx.conf or with a configuration of the caller, for
 * tests and the benchmark.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const SHIPPED = new URL('../deploy/nginx.conf', import.meta.url);
const BROTLI_MODULE = '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so';
/** Time for nginx to start or to stop, in milliseconds. */
const PATIENCE = 20_000;

export function isNginxInstalled(): boolean {
  return spawnSync('nginx', ['-v'], { stdio: 'ignore' }).error === undefined;
}

export function isBrotliInstalled(): boolean {
  return existsSync(BROTLI_MODULE);
}

export interface Place {
  /** Free ports on 127.0.0.1; `http` is that of the redirect to https. */
  ports: { https: number; http: number };
  /** Files in PEM; null serves plain HTTP at the port of https. */
  tls: { certificate: string; key: string } | null;
  /** The folder that holds `feeds/`. */
  root: string;
  /** Host and port of daywire. */
  daywire: string;
  /** Of the process that serves the desk. Default: of daywire. */
  desk?: string;
  brotli: boolean;
}

/**
 * The shipped configuration. Only ports, paths and the address of daywire are replaced.
 * @param folder for its cache and its logs
 */
export function shippedConfig(folder: string, place: Place): string {
  const { ports, tls, root, daywire, desk = daywire, brotli } = place;
  let text = readFileSync(SHIPPED, 'utf8');
  const replace = (from: RegExp, to: string): void => {
    if (!from.test(text)) throw new Error(`deploy/nginx.conf has no ${from}`);
    text = text.replace(from, () => to);
  };
  replace(/^ *listen \[::\].*\n/gm, '');
  replace(/listen 80;/, `listen 127.0.0.1:${ports.http};`);
  replace(/listen 443 ssl;/, `listen 127.0.0.1:${ports.https}${tls === null ? '' : ' ssl'};`);
  if (tls === null) replace(/^ *(?:ssl_|http2 ).*\n/gm, '');
  else {
    replace(/\/etc\/ssl\/daywire\/fullchain\.pem/, tls.certificate);
    replace(/\/etc\/ssl\/daywire\/privkey\.pem/, tls.key);
  }
  replace(/\/var\/cache\/daywire/, join(folder, 'cache'));
  replace(/\/var\/log\/nginx/g, folder);
  replace(/\/srv\/daywire/g, root);
  replace(/server 127\.0\.0\.1:8080;/, `server ${daywire};`);
  replace(/server 127\.0\.0\.1:8080;/, `server ${desk};`);
  if (brotli) replace(/#brotli_static on;/, 'brotli_static on;');
  return text;
}

export interface Nginx {
  /** Writes what is buffered to the logs. */
  flushLogs(): void;
  /** Quits when open requests are answered and logs are written. */
  stop(): Promise<void>;
}

/**
 * Starts nginx with one worker process and waits until it answers at `port`.
 * @param folder of this nginx alone; it must exist
 * @param site directives of the http context
 * @throws with its error log where it does not start
 */
export async function startNginx(folder: string, site: string, port: number): Promise<Nginx> {
  // The worker gives up the rights of root.
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'temp'), { recursive: true });
  await writeFile(join(folder, 'main.conf'), mainConfig(folder, site));
  const child = spawn('nginx', ['-c', join(folder, 'main.conf'), '-p', folder, '-e', join(folder, 'error.log')], {
    stdio: 'ignore',
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGQUIT');
    await exited;
  };
  try {
    await answering(child, port);
  } catch (error) {
    await stop();
    throw new Error(`nginx does not start: ${readFileSync(join(folder, 'error.log'), 'utf8')}`, { cause: error });
  }
  return { flushLogs: () => void child.kill('SIGUSR1'), stop };
}

function mainConfig(folder: string, site: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${/^ *brotli_static on;/m.test(site) ? `load_module ${BROTLI_MODULE};` : ''}
worker_processes 1;
pcre_jit on;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
${temporary.map((name) => `  ${name}_temp_path ${folder}/temp/${name};`).join('\n')}
${site}
}
`;
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  const failed = once(child, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => {});
  const end = Date.now() + PATIENCE;
  while (!(await Promise.race([accepts(port), failed]))) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
    if (Date.now() > end) throw new Error(`nginx does not answer at port ${port}`);
    await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
