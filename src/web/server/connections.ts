/**
 * Open connections: how many, and how much of each is parsed and handled at once. Node parses all requests that it
 * reads together and emits them at once: 80 connections with 800 pipelined requests each blocked the process for 1.4 s.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Bytes that are parsed at once: 20 of the smallest requests, or the usual header of a browser in two steps. */
const SLICE = 512;

/** A request and its response. */
type Exchange = [IncomingMessage, ServerResponse];

interface ClientConnection {
  /** The request in progress. */
  current: Exchange | null;
  /** Requests that were parsed with it. */
  waiting: Exchange[];
  /** Greater than that of connections which have begun or ended a request before. */
  changed: number;
}

export class Connections {
  readonly #max: number;
  readonly #onLimit: () => void;
  readonly #open = new Map<Socket, ClientConnection>();
  #changes = 0;

  /** @param onLimit called for each connection that is closed because of the limit */
  constructor(max: number, onLimit: () => void) {
    this.#max = max;
    this.#onLimit = onLimit;
  }

  /**
   * Admits a new connection of an HTTP server. At the limit it replaces the oldest one that daywire does nothing for,
   * so that neither idle connections nor slow ones keep other clients out. If there is none, the new one is closed.
   */
  admit(socket: Socket): void {
    const connection: ClientConnection = { current: null, waiting: [], changed: ++this.#changes };
    this.#open.set(socket, connection);
    socket.once('close', () => this.#open.delete(socket));
    parseInSlices(socket, connection);
    if (this.#open.size <= this.#max) return;
    this.#onLimit();
    const idle = [...this.#open].filter(([, { current }]) => current === null || !isWorking(current));
    const [oldest] = idle.reduce((a, b) => (a[1].changed < b[1].changed ? a : b));
    this.#open.delete(oldest);
    oldest.destroy();
  }

  /**
   * Calls `handle` for one request of each connection (RFC 9112 §9.3.2 asks for ordered responses only). The next one
   * follows when the response is complete, unless the client has closed the connection.
   */
  oneAtATime(handle: RequestListener): RequestListener {
    /** Connections whose next request may start. */
    const ready: ClientConnection[] = [];
    const start = (connection: ClientConnection, [incoming, outgoing]: Exchange): void => {
      connection.current = [incoming, outgoing];
      connection.changed = ++this.#changes;
      outgoing.once('close', () => {
        connection.current = null;
        connection.changed = ++this.#changes;
        if (connection.waiting.length > 0 && ready.push(connection) === 1) setImmediate(startWaiting);
      });
      handle(incoming, outgoing);
    };
    /** Starts one in each turn of the event loop: clients that wait for their responses come first. */
    const startWaiting = (): void => {
      const connection = ready.shift() as ClientConnection;
      const exchange = connection.waiting.shift() as Exchange;
      if (ready.length > 0) setImmediate(startWaiting);
      const { socket } = exchange[0];
      if (socket.destroyed || socket.writableEnded) return;
      if (connection.waiting.length === 0) socket.resume();
      start(connection, exchange);
    };
    return (incoming, outgoing) => {
      const connection = this.#open.get(incoming.socket);
      if (connection?.current === null && connection.waiting.length === 0) start(connection, [incoming, outgoing]);
      else connection?.waiting.push([incoming, outgoing]);
    };
  }
}

/** Whether the server works for the request. Otherwise it waits for the client: for its body, or until it has read. */
function isWorking([incoming, outgoing]: Exchange): boolean {
  return incoming.complete && !outgoing.writableEnded;
}

/**
 * Gives what is read from a connection to Node's parser in slices. While a request waits, the rest stays unparsed, and
 * nothing more is read.
 * @throws Error where Node's HTTP server does not listen for the data of the connection
 */
function parseInSlices(socket: Socket, { waiting }: ClientConnection): void {
  const [parse, ...others] = socket.listeners('data');
  if (parse === undefined || others.length > 0) throw new Error('Node listens for the data of connections otherwise');
  socket.removeAllListeners('data');
  socket.on('data', (data: Buffer) => {
    for (let at = 0; at < data.length && !socket.destroyed; at += SLICE) {
      // Node's parser pauses the connection too, and accepts nothing until it resumes it.
      if (waiting.length > 0 || socket.isPaused()) {
        socket.pause();
        socket.unshift(data.subarray(at));
        return;
      }
      parse.call(socket, data.length <= SLICE ? data : data.subarray(at, at + SLICE));
    }
  });
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
