/**
 * How many conditional and full GETs of a feed one process answers a second, against nginx with one worker that serves the very same
 * files from the folder of feeds, on the same machine, by the same load.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort, median } from './figures.ts';

const ROUNDS = 5;
const SECONDS = 3;
const CONNECTIONS = 64;
const FEED = 'latest.atom';

/**
 * Medians of rounds turn about, so that what else the machine does falls on both. `notModifiedRatio` and `fullRatio` are ours to nginx's
 * for 304 and 200, without compression; null where nginx or wrk is not installed. `compressedRatio`: gzip that lies ready on both sides.
 */
export async function benchHttp(): Promise<Record<string, number | null>> {
  if (!(await runs('nginx', ['-v'])) || !(await runs('wrk', ['-v']))) {
    process.stderr.write('nginx and wrk are needed (Debian: nginx, wrk)\n');
    return { notModifiedRatio: null, fullRatio: null, compressedRatio: null };
  }
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  // For nginx's worker, which gives up root's rights.
  await chmod(folder, 0o755);
  const ours = await start(process.execPath, [fileURLToPath(new URL('http-server.ts', import.meta.url)), folder]);
  const oursUrl = (await ours.firstLine).trim();
  const port = await freePort();
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(folder, port));
  const nginx = await start('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder]);
  const nginxUrl = `http://127.0.0.1:${port}/${FEED}`;
  try {
    await reachable(nginxUrl);
    const figures: Record<string, number> = { bytes: (await (await fetch(oursUrl)).arrayBuffer()).byteLength };
    for (const [name, fields] of [
      ['notModified', async (url: string) => [`If-None-Match: ${await tagOf(url)}`]],
      ['full', async () => []],
      ['compressed', async () => ['Accept-Encoding: gzip']],
    ] as const) {
      const speeds = { ours: [] as number[], nginx: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        speeds.ours.push(await load(oursUrl, await fields(oursUrl)));
        speeds.nginx.push(await load(nginxUrl, await fields(nginxUrl)));
      }
      figures[`${name}PerSecond`] = Math.round(median(speeds.ours));
      figures[`${name}PerSecondNginx`] = Math.round(median(speeds.nginx));
      const ratios = speeds.ours.map((speed, round) => speed / (speeds.nginx[round] as number));
      figures[`${name}Ratio`] = Math.round(median(ratios) * 100) / 100;
    }
    return figures;
  } finally {
    await Promise.all([ours.stop(), nginx.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

// As quick as it gets: no log, files kept open, and the compressed form taken from its own file.
function nginxConfig(folder: string, port: number): string {
  return `worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  open_file_cache max=1000;
  gzip_static on;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  types { application/atom+xml atom; }
  server { listen 127.0.0.1:${port}; root ${folder}/feeds; }
}
`;
}

/** Requests a second, by wrk; an answer that is an error ends the bench. */
async function load(url: string, fields: string[]): Promise<number> {
  const headers = fields.flatMap((field) => ['-H', field]);
  const wrk = spawn('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, ...headers, url]);
  const said = await text(wrk.stdout);
  if (/Non-2xx|Socket errors/.test(said)) throw new Error(`${url} failed under load: ${said}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1]);
}

async function tagOf(url: string): Promise<string> {
  const response = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
  await response.arrayBuffer();
  return response.headers.get('ETag') as string;
}

interface Started {
  firstLine: Promise<string>;
  stop(): Promise<void>;
}

async function start(command: string, args: string[]): Promise<Started> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  await once(child, 'spawn');
  return {
    firstLine: once(child.stdout, 'data').then(([chunk]) => String(chunk)),
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function runs(command: string, args: string[]): Promise<boolean> {
  const child = spawn(command, args, { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(true));
  });
}

async function reachable(url: string): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    const response = await fetch(url).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}
