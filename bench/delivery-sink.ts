/**
 * The server of the delivery benchmark, and Postfix's sender to compare with. The server is Postfix's `smtp-sink` if it
 * is installed, otherwise this file, run as a process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../scripts/free-port.ts';

export interface Sink {
  port: number;
  url: string;
  /** Whether it is Postfix's `smtp-sink`. */
  isPostfix: boolean;
  stop(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const port = await freePort();
  const program = findProgram('smtp-sink');
  // As root it requires a user to switch to.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child =
    program === null
      ? spawn(process.execPath, [fileURLToPath(import.meta.url), `${port}`], { stdio: 'ignore' })
      : spawn(program, [...user, `127.0.0.1:${port}`, '100'], { stdio: 'ignore' });
  await untilListening(port, child);
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    isPostfix: program !== null,
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/**
 * Runs Postfix's `smtp-source`: unsigned messages of one size, over persistent connections.
 * @returns messages per second; null if it is not installed
 */
export async function runSource(
  sink: Sink,
  { messages, bytes, connections }: { messages: number; bytes: number; connections: number },
): Promise<number | null> {
  const program = findProgram('smtp-source');
  if (program === null || !sink.isPostfix) return null;
  const counts = ['-d', '-s', `${connections}`, '-l', `${bytes}`, '-m', `${messages}`];
  const envelope = ['-f', 'bounces@example.com', '-t', 'subscriber@example.com'];
  const start = performance.now();
  const child = spawn(program, [...counts, ...envelope, `127.0.0.1:${sink.port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  return messages / ((performance.now() - start) / 1_000);
}

/** On Debian both are in folders that only root's PATH includes. */
function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  child.kill();
  throw new Error('the sink did not start');
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

/** Accepts everything and keeps nothing. */
function serve(socket: Socket): void {
  let inData = false;
  let rest = '';
  socket.on('error', () => {});
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1');
    for (;;) {
      const end = rest.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) break;
      const line = inData ? 'END' : rest.slice(0, end).toUpperCase();
      rest = rest.slice(end + (inData ? 5 : 2));
      inData = line === 'DATA';
      if (inData) socket.write('354 go on\r\n');
      else if (line.startsWith('EHLO')) socket.write('250-sink\r\n250 PIPELINING\r\n');
      else if (line === 'QUIT') socket.end('221 bye\r\n');
      else socket.write('250 2.0.0 ok\r\n');
    }
    // Only the possible beginning of the final dot must be kept.
    if (inData) rest = rest.slice(-4);
  });
  socket.write('220 sink\r\n');
}

const [, script, port] = process.argv;
if (script === fileURLToPath(import.meta.url) && port !== undefined) {
  await listen(createServer(serve), Number(port));
}
