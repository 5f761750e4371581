/**
 * Requests a second for a feed, on the same machine under the same load: daywire alone, and nginx with the shipped
 * configuration in front of it, each against nginx that serves the same files with the least configuration. One worker
 * process each, HTTP without TLS.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '../scripts/free-port.ts';
import { isBrotliInstalled, isNginxInstalled, shippedConfig, startNginx } from '../scripts/nginx.ts';
import { median } from './figures.ts';

const ROUNDS = 15;
const SECONDS = 1;
const CONNECTIONS = 64;

/**
 * Medians of alternating rounds. `notModifiedRatio` and `fullRatio`: daywire alone to plain nginx, for 304 and for 200
 * without compression. `frontedNotModifiedRatio` and `frontedFullRatio`: nginx with the shipped configuration to plain
 * nginx. Null where nginx or wrk is not installed. Requests a second go to stderr.
 */
export async function benchHttp(): Promise<Record<string, number | null>> {
  if (!isNginxInstalled() || !(await isWrkInstalled())) {
    process.stderr.write('nginx and wrk are needed (Debian: nginx-light, wrk)\n');
    return { notModifiedRatio: null, fullRatio: null, frontedNotModifiedRatio: null, frontedFullRatio: null };
  }
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  // For nginx's worker, which gives up the rights of root.
  await chmod(folder, 0o755);
  const stops: (() => Promise<void>)[] = [];
  try {
    const daywire = await startDaywire(folder);
    stops.push(daywire.stop);
    const { pathname, host } = new URL(daywire.url);
    const nginxAt = async (name: string, config: (folder: string, port: number) => string): Promise<string> => {
      const [own, port] = [join(folder, name), await freePort()];
      await mkdir(own);
      stops.push((await startNginx(own, config(own, port), port)).stop);
      return `http://127.0.0.1:${port}${pathname}`;
    };
    const plain = await nginxAt('plain', (_, port) => plainConfig(folder, port));
    const httpPort = await freePort();
    const fronted = await nginxAt('fronted', (own, port) =>
      shippedConfig(own, {
        ports: { https: port, http: httpPort },
        tls: null,
        root: folder,
        daywire: host,
        brotli: isBrotliInstalled(),
      }),
    );
    const urls = { alone: daywire.url, fronted, plain };
    const notModified = await compare('304', urls, async (url) => [`If-None-Match: ${await etagOf(url)}`]);
    const full = await compare('200', urls, async () => []);
    return {
      notModifiedRatio: notModified.alone,
      fullRatio: full.alone,
      frontedNotModifiedRatio: notModified.fronted,
      frontedFullRatio: full.fronted,
    };
  } finally {
    for (const stop of stops.reverse()) await stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const SERVERS = ['alone', 'fronted', 'plain'] as const;
type Server = (typeof SERVERS)[number];

/**
 * Loads the servers in turn, so that other work of the machine affects all of them.
 * @param fields header fields of a request to that URL
 * @returns medians of the ratios to plain nginx
 */
async function compare(
  name: string,
  urls: Record<Server, string>,
  fields: (url: string) => Promise<string[]>,
): Promise<Record<'alone' | 'fronted', number>> {
  const rates: Record<Server, number[]> = { alone: [], fronted: [], plain: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of SERVERS) rates[server].push(await load(urls[server], await fields(urls[server])));
  }
  const shown = SERVERS.map((server) => `${server} ${Math.round(median(rates[server]))}`);
  process.stderr.write(`${name}, requests a second: ${shown.join(', ')}\n`);
  const ratio = (server: Server): number =>
    Math.round(median(rates[server].map((rate, round) => rate / (rates.plain[round] as number))) * 100) / 100;
  return { alone: ratio('alone'), fronted: ratio('fronted') };
}

/** No log, files kept open, and no header field beyond the necessary. */
function plainConfig(folder: string, port: number): string {
  return `  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=1000;
  gzip_static on;
  types { application/atom+xml atom; }
  server { listen 127.0.0.1:${port}; root ${folder}; }`;
}

/** Requests a second, by wrk. @throws where an answer is an error */
async function load(url: string, fields: string[]): Promise<number> {
  const headers = fields.flatMap((field) => ['-H', field]);
  const wrk = spawn('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, ...headers, url]);
  const report = await text(wrk.stdout);
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(`${url} failed under load: ${report}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]);
}

async function etagOf(url: string): Promise<string> {
  const response = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
  await response.arrayBuffer();
  return response.headers.get('ETag') as string;
}

async function startDaywire(folder: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('http-server.ts', import.meta.url)), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    exited.then(([code]) => Promise.reject(new Error(`daywire ended with ${code}`))),
  ]);
  return {
    url: String(line).trim(),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function isWrkInstalled(): Promise<boolean> {
  const child = spawn('wrk', ['-v'], { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(true));
  });
}
