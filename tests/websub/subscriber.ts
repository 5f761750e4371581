/**
 * A subscriber: a real HTTP server that keeps what it is told, and answers as a test wants it to.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Told {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What it answers: a status, alone or with a body and headers; `hang` never answers; `cut` ends the connection. */
type Reply = number | { status: number; body: string; headers?: Record<string, string> } | 'hang' | 'cut';

export interface Subscriber {
  /** `http://127.0.0.1:port`, or a host name of one's choice with that port. */
  at(path: string, host?: string): string;
  /** All requests, in the order they came. */
  requests: Told[];
  /** Those that bring a feed. */
  feeds(): Told[];
  /** Those that ask whether it wants what was asked in its name. */
  questions(): URLSearchParams[];
  /** Default: echoes the challenge, and takes what it is told. */
  answer: (told: Told) => Reply | Promise<Reply>;
  close(): Promise<void>;
}

export async function startSubscriber(): Promise<Subscriber> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { method = '', url: path = '', headers } = request;
      const told = { method, path, headers, body: Buffer.concat(chunks).toString() };
      subscriber.requests.push(told);
      const reply = await subscriber.answer(told);
      if (reply === 'hang') return;
      if (reply === 'cut') return void request.socket.destroy();
      const { status, body, headers: more = {} } = typeof reply === 'number' ? { status: reply, body: '' } : reply;
      response.writeHead(status, more).end(body);
    });
  });
  const port = await listening(server);
  const closed = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  onTestFinished(closed);
  const subscriber: Subscriber = {
    at: (path, host = '127.0.0.1') => `http://${host}:${port}${path}`,
    requests: [],
    feeds: () => subscriber.requests.filter(({ method }) => method === 'POST'),
    questions: () =>
      subscriber.requests
        .filter(({ method }) => method === 'GET')
        .map(({ path }) => new URL(path, 'http://localhost').searchParams),
    answer: echo,
    close: closed,
  };
  return subscriber;
}

/** As a subscriber that wants everything. */
export function echo({ method, path }: Told): Reply {
  if (method !== 'GET') return 204;
  const challenge = new URL(path, 'http://localhost').searchParams.get('hub.challenge') ?? '';
  return { status: 200, body: challenge };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
