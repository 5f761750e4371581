/**
 * Runs random exchanges against a server on this machine.
 */
import { connect, type Socket } from 'node:net';
import { type HostileExchange, randomExchange } from './exchanges.ts';
import { Random } from './random.ts';

export interface FuzzOptions {
  port: number;
  seed: number;
  /** Ends when that many requests have been sent. */
  requests: number;
  /** Connections at the same time. */
  concurrency: number;
  /** Ends after that time, whatever has been sent. Milliseconds. */
  maxMs: number;
}

export interface FuzzFigures {
  requests: number;
  connections: number;
  responses: number;
  /** Number of responses by status. */
  statuses: Map<number, number>;
  /** What no server should do, each with the kind of its exchange. */
  faults: string[];
}

/** Time without data after which a client has read everything. */
const QUIET = 60;
/** Time after which a client gives up. */
const PATIENCE = 400;
/** A client that reads nothing leaves after that time. */
const NOT_READING = 100;

/** @returns when all connections are closed */
export async function runExchanges(options: FuzzOptions): Promise<FuzzFigures> {
  const random = new Random(options.seed);
  const figures: FuzzFigures = { requests: 0, connections: 0, responses: 0, statuses: new Map(), faults: [] };
  const end = performance.now() + options.maxMs;
  const worker = async (): Promise<void> => {
    while (figures.requests < options.requests && performance.now() < end) {
      const exchange = randomExchange(random);
      figures.requests += exchange.requests;
      figures.connections++;
      count(figures, exchange, await runExchange(options.port, exchange));
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return figures;
}

/** @returns the bytes that the server sent */
async function runExchange(port: number, { writes, end }: HostileExchange): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  // The server may close the connection while the client writes.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const received: Buffer[] = [];
  if (end !== 'not-reading') socket.on('data', (data) => received.push(data)).on('end', () => socket.end());
  for (const bytes of writes) {
    if (socket.destroyed) break;
    socket.write(bytes);
    await new Promise(setImmediate);
  }
  if (end === 'half-close') socket.end();
  if (end === 'leave') socket.destroy();
  else if (end === 'not-reading') setTimeout(() => socket.destroy(), NOT_READING);
  else leaveWhenQuiet(socket);
  await closed;
  return Buffer.concat(received).toString('latin1');
}

function leaveWhenQuiet(socket: Socket): void {
  let timer = setTimeout(() => socket.destroy(), PATIENCE);
  socket.on('data', () => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), QUIET);
  });
  socket.once('close', () => clearTimeout(timer));
}

function count(figures: FuzzFigures, { kind }: HostileExchange, received: string): void {
  if (received !== '' && !received.startsWith('HTTP/1.1 ')) {
    figures.faults.push(`${kind}: a response begins with ${JSON.stringify(received.slice(0, 40))}`);
  }
  for (const [, digits] of received.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z][\w' -]*\r\n/g)) {
    const status = Number(digits);
    figures.responses++;
    figures.statuses.set(status, (figures.statuses.get(status) ?? 0) + 1);
    // 503: a feed that is not published yet.
    if (status >= 500 && status !== 503) figures.faults.push(`${kind}: a response has status ${status}`);
  }
}
