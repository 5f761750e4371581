/**
 * Pipelined requests of a connection, one at a time. Node parses all requests that arrive together and emits them at
 * once: 400 requests in 11 KB blocked the process for seconds (RFC 9112 §9.3.2 asks for ordered responses only).
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Waiting requests of all connections, at 1.6 KB each. A connection that would exceed it is closed. */
const MAX_WAITING = 20_000;

/** A request and its response. */
export type Exchange = [IncomingMessage, ServerResponse];

/**
 * Calls `handle` for one request of each connection. The next one follows when the response is complete. Meanwhile
 * nothing more is read from the connection, and nothing is done for one that the client has closed.
 */
export function oneAtATime(handle: RequestListener, maxWaiting = MAX_WAITING): RequestListener {
  /** Connections with a request in progress, each with its waiting requests. */
  const busy = new WeakMap<Socket, Exchange[]>();
  let waiting = 0;

  const start = ([incoming, outgoing]: Exchange, queue: Exchange[]): void => {
    const { socket } = incoming;
    outgoing.once('close', () => {
      if (queue.length === 0) busy.delete(socket);
      // Not at once: other connections come first, also if the response was complete at once.
      else setImmediate(next, socket, queue);
    });
    handle(incoming, outgoing);
  };

  const next = (socket: Socket, queue: Exchange[]): void => {
    if (socket.destroyed || socket.writableEnded) {
      waiting -= queue.length;
      queue.length = 0;
    }
    const exchange = queue.shift();
    if (exchange === undefined) {
      busy.delete(socket);
      return;
    }
    waiting--;
    // Node resumes reading with each response.
    if (queue.length === 0) socket.resume();
    else socket.pause();
    start(exchange, queue);
  };

  return (incoming, outgoing) => {
    const { socket } = incoming;
    const queue = busy.get(socket);
    if (queue === undefined) {
      const created: Exchange[] = [];
      busy.set(socket, created);
      start([incoming, outgoing], created);
    } else if (waiting < maxWaiting) {
      waiting++;
      queue.push([incoming, outgoing]);
      socket.pause();
    } else {
      socket.destroy();
    }
  };
}
