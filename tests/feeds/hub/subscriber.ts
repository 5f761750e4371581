/**
 * A subscriber of the hub: a real HTTP server that records requests, and responds as a test decides.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A status, alone or with a body and headers; `hang` never responds; `cut` closes the connection. */
type Response = number | { status: number; body: string; headers?: Record<string, string> } | 'hang' | 'cut';

export interface TestSubscriber {
  /** `http://HOST:port`, or another host name with that port. */
  url(path: string, host?: string): string;
  /** All requests, oldest first. */
  requests: ReceivedRequest[];
  /** Of these, content distribution. */
  deliveries(): ReceivedRequest[];
  /** Of these, the query of each verification and denial. */
  verifications(): URLSearchParams[];
  /** Default: echoes the challenge and accepts content. */
  answer: (request: ReceivedRequest) => Response | Promise<Response>;
  close(): Promise<void>;
}

/** @param host in its addresses; it listens on 127.0.0.1 */
export async function startSubscriber(host = '127.0.0.1'): Promise<TestSubscriber> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { method = '', url: path = '', headers } = request;
      const received = { method, path, headers, body: Buffer.concat(chunks).toString() };
      subscriber.requests.push(received);
      const answer = await subscriber.answer(received);
      if (answer === 'hang') return;
      if (answer === 'cut') return void request.socket.destroy();
      const { status, body, headers: more = {} } = typeof answer === 'number' ? { status: answer, body: '' } : answer;
      response.writeHead(status, more).end(body);
    });
  });
  const port = await listening(server);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  onTestFinished(close);
  const subscriber: TestSubscriber = {
    url: (path, name = host) => `http://${name}:${port}${path}`,
    requests: [],
    deliveries: () => subscriber.requests.filter(({ method }) => method === 'POST'),
    verifications: () =>
      subscriber.requests
        .filter(({ method }) => method === 'GET')
        .map(({ path }) => new URL(path, 'http://localhost').searchParams),
    answer: echo,
    close,
  };
  return subscriber;
}

/** The answer of a subscriber that confirms and accepts everything. */
export function echo({ method, path }: ReceivedRequest): Response {
  if (method !== 'GET') return 204;
  const challenge = new URL(path, 'http://localhost').searchParams.get('hub.challenge') ?? '';
  return { status: 200, body: challenge };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
