/** Other outlets, invented: one server on 127.0.0.1 that answers for any number of hosts, and logs each request. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FetchClient, openFetchClient, type RequestGate } from '../../src/lib/guarded-fetch/fetch-client.ts';
import type { Clock } from '../../src/lib/time.ts';

export interface OutletRequest {
  host: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Epoch milliseconds, by the clock of the server. */
  at: number;
}

export interface OutletAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  /** `cut`: ends in the middle of the body; `never`: the end is not sent. */
  fault?: 'cut' | 'never';
}

export interface LoggedRequest {
  host: string;
  path: string;
  begin: number;
  end: number;
  isConditional: boolean;
  status: number;
  /** Who asked, by User-Agent. */
  agent: string;
}

export interface OutletServer extends AsyncDisposable {
  /** The address of a path on a host. */
  url(host: string, path: string): string;
  requests: LoggedRequest[];
  /** A client that resolves each name to this server, and connects to nothing else. */
  openClient(gate: RequestGate, agent?: string): FetchClient;
}

export interface OutletServerOptions {
  clock: Clock;
  /** Milliseconds for a whole request of its clients to a host. Default: 5,000. */
  timeLimit?: (host: string) => number;
}

export async function startOutletServer(
  answer: (request: OutletRequest) => OutletAnswer | Promise<OutletAnswer>,
  { clock, timeLimit = () => 5_000 }: OutletServerOptions,
): Promise<OutletServer> {
  const requests: LoggedRequest[] = [];
  const server = createServer(async ({ url: path = '/', headers }, response) => {
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    const begin = clock();
    const { status, headers: sent = {}, body = '', fault } = await answer({ host, path, headers, at: begin });
    const isConditional = headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
    const agent = headers['user-agent'] ?? '';
    requests.push({ host, path, begin, end: clock(), isConditional, status, agent });
    const length = Buffer.byteLength(body);
    response.writeHead(status, { ...sent, ...(status === 304 ? {} : { 'Content-Length': length }) });
    if (fault === undefined) response.end(body);
    else {
      response.write(body.slice(0, body.length / 2));
      if (fault === 'cut') setImmediate(() => response.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    url: (host, path) => `http://${host}:${port}${path}`,
    openClient: (gate, agent = 'daywire') => ({
      fetch: (request, signal) =>
        openFetchClient({
          ...{ gate, userAgent: agent, timeLimitMs: timeLimit(new URL(request.url).hostname) },
          guard: (address, to) =>
            address === '127.0.0.1' && to === port ? null : 'it is not the server of the outlets',
          resolve: async () => [{ address: '127.0.0.1', family: 4 }],
        }).fetch(request, signal),
    }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
