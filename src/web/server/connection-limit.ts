/**
 * Limits open connections. At the limit a new connection replaces the oldest one that daywire does nothing for, so that
 * neither 1,000 idle connections nor slow ones keep other clients out.
 */
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange } from './one-at-a-time.ts';

export class ConnectionLimit {
  readonly #max: number;
  readonly #onLimit: () => void;
  /** Open connections with the request in progress, or null; the longest unchanged ones first. */
  readonly #open = new Map<Socket, Exchange | null>();

  /** @param onLimit called for each connection that is closed because of the limit */
  constructor(max: number, onLimit: () => void) {
    this.#max = max;
    this.#onLimit = onLimit;
  }

  /** Admits a new connection. If the server works for all others, the new one is closed. */
  admit(socket: Socket): void {
    this.#open.set(socket, null);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#open.size <= this.#max) return;
    this.#onLimit();
    for (const [other, exchange] of this.#open) {
      if (exchange !== null && isWorking(exchange)) continue;
      this.#open.delete(other);
      other.destroy();
      return;
    }
  }

  /** Tells the limit which connections have a request in progress. */
  track(handle: RequestListener): RequestListener {
    return (incoming, outgoing) => {
      const { socket } = incoming;
      this.#change(socket, [incoming, outgoing]);
      outgoing.once('close', () => this.#change(socket, null));
      handle(incoming, outgoing);
    };
  }

  #change(socket: Socket, exchange: Exchange | null): void {
    if (this.#open.delete(socket)) this.#open.set(socket, exchange);
  }
}

/** Whether the server works for the request. Otherwise it waits for the client: for its body, or until it has read. */
function isWorking([incoming, outgoing]: Exchange): boolean {
  return incoming.complete && !outgoing.writableEnded;
}

/** Open files that the rest of the process needs, such as connections to the store and to the mail server. */
const RESERVED_FILES = 200;
const MIN_CONNECTIONS = 20;

let limit: number | null = null;

/** How many files this process may have open; infinite where that is unknown. */
export function openFilesLimit(): number {
  // A process keeps its limit, and a report takes some 40 ms.
  limit ??= readLimit();
  return limit;
}

function readLimit(): number {
  // Otherwise it resolves the name of every peer. Not in the types of Node 24 yet.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | 'unlimited' } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY;
}

/** As many of the wanted connections as leave enough files for the rest of the process. */
export function connectionsWithin(openFiles: number, wanted: number): number {
  return Math.min(wanted, Math.max(openFiles - RESERVED_FILES, MIN_CONNECTIONS));
}
