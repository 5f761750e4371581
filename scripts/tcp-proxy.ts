import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a server that can go away in several ways. */
export interface TcpProxy {
  port: number;
  /**
   * `silent`: connections stay open, and nothing is forwarded, as when a machine loses its power. `closed`: connections
   * are reset, new ones as well.
   */
  become(state: 'open' | 'silent' | 'closed'): void;
  /** Resets all connections, and ends the proxy. */
  close(): void;
}

/** @param target may be changed later: new connections lead to the new one */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let current: 'open' | 'silent' | 'closed' = 'open';
  const resetAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => current === 'open' && to.write(chunk));
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        if (current !== 'silent') to.destroy();
      });
    }
    if (current === 'closed') resetAll();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    become(state) {
      current = state;
      // What was not forwarded is lost: a connection could not go on.
      if (state !== 'silent') resetAll();
    },
    close() {
      server.close();
      resetAll();
    },
  };
}
