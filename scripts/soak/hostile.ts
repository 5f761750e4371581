/**
 * Requests that nobody means well with: malformed, pipelined, oversized, unfinished.
 */
import { connect } from 'node:net';
import { SECOND } from '../../src/lib/time.ts';

const TIMEOUT = 5 * SECOND;

const HOST = 'Host: 127.0.0.1\r\n';
const REQUESTS: (() => string)[] = [
  () => 'GARBAGE\r\n\r\n',
  () => '\u0000\u0001\u0016\u0003\u0001\u0002',
  () => `GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(200),
  () => `GET /articles/../../etc/passwd HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  () => `GET /feeds/%2e%2e%2fvar%2fsecret HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  () => `GET / HTTP/1.1\r\n${HOST}${HOST}Connection: close\r\n\r\n`,
  () => `GET / HTTP/1.1\r\n${HOST}X-Long: ${'x'.repeat(100_000)}\r\n\r\n`,
  () => `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`,
  () => `POST /subscribe HTTP/1.1\r\n${HOST}Content-Length: 5000000\r\n\r\n${'x'.repeat(5_000_000)}`,
  () => `POST /subscribe HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\nunfinished`,
  () => `POST /hub HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nZZZ\r\n`,
  () => `GET /unsubscribe/${randomToken()} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  () => `POST /confirm/${randomToken()} HTTP/1.1\r\n${HOST}Content-Length: 0\r\nConnection: close\r\n\r\n`,
  () => `GET /preferences/${randomToken()} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  () => `GET /feeds/latest.rss HTTP/1.1\r\n${HOST}Range: bytes=0-1,5-,-7\r\nConnection: close\r\n\r\n`,
  () => `OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  () => `GET /newsletters?${'q=%00&'.repeat(1_000)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
];

export interface HostileResult {
  sent: string;
  /** Status codes of the responses. */
  statuses: number[];
}

/** Sends one of the requests on a connection of its own, and reads what comes until it ends or five seconds pass. */
export function sendHostile(port: number, number: number): Promise<HostileResult> {
  const text = REQUESTS[number % REQUESTS.length]?.() ?? '';
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    const timeout = setTimeout(() => socket.destroy(), TIMEOUT);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timeout);
      const received = Buffer.concat(chunks).toString('latin1');
      const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, code]) => Number(code));
      resolve({ sent: text.slice(0, 60), statuses });
    });
    socket.write(text, 'latin1');
    // A client that closes its side and waits for the response.
    if (number % 3 === 0) socket.end();
  });
}

function randomToken(): string {
  return Array.from({ length: 48 }, () => Math.floor(Math.random() * 36).toString(36)).join('');
}
