import { createServer, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAddressGuard } from '../../../src/lib/guarded-fetch/address-guard.ts';
import { guardedRequest, type RequestLimits } from '../../../src/lib/guarded-fetch/guarded-request.ts';
import { makeCertificate } from '../../delivery/transport/certificate.ts';
import { startSubscriber } from '../../feeds/hub/subscriber.ts';

const LOCAL = openAddressGuard({ allowed: ['127.0.0.0/8'] });
const PUBLIC = openAddressGuard();
const NOT_PUBLIC = { kind: 'refused', reason: 'its address is not public' };

describe('a guarded request', () => {
  it('sends method, headers and body, and returns the response', async () => {
    const server = await startSubscriber();
    server.answer = () => ({ status: 202, body: 'thank you' });
    const request = {
      url: server.url('/callback?a=1'),
      method: 'POST' as const,
      headers: { 'X-Custom': 'yes' },
      body: Buffer.from('<rss/>'),
    };
    const answer = await guardedRequest(request, limits());
    expect(answer).toEqual({
      kind: 'answered',
      status: 202,
      body: Buffer.from('thank you'),
      whole: true,
      address: '127.0.0.1',
    });
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/callback?a=1',
        body: '<rss/>',
        headers: { 'x-custom': 'yes', 'user-agent': 'daywire', 'content-length': '6', connection: 'close' },
      },
    ]);
    expect(server.requests[0]?.headers.host).toBe(new URL(server.url('/')).host);
  });

  it.each([
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://127。0。0。1/',
  ])('is refused for %s, without a connection', async (url) => {
    expect(await get(url, { guard: PUBLIC, resolve: () => Promise.reject(new Error('asked')) })).toEqual(NOT_PUBLIC);
  });

  it('is checked at the address that its host resolves to at the connection', async () => {
    const server = await startSubscriber();
    const url = server.url('/', 'rebound.example.com');
    let asked = 0;
    const resolve = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '8.8.8.8', family: 4 }];
    expect(await get(url, { guard: PUBLIC, resolve })).toEqual(NOT_PUBLIC);
    // Once: the checked address is the one that is connected to.
    expect(asked).toBe(1);
    expect(server.requests).toEqual([]);
  });

  it('uses only the allowed ones of several addresses', async () => {
    const server = await startSubscriber();
    const resolve = async () => [
      { address: '::1', family: 6 },
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    expect(await get(server.url('/', 'both.example.com'), { resolve })).toMatchObject({ status: 200 });
    expect(await get(server.url('/', 'both.example.com'), { guard: PUBLIC, resolve })).toEqual(NOT_PUBLIC);
    expect(server.requests).toHaveLength(1);
  });

  it('is checked again at the connected address, before a byte is written', async () => {
    let received = 0;
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections++;
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    // A guard that the resolver deceives, but not the socket.
    let checks = 0;
    const guard = (address: string, at: number) => (checks++ === 0 ? null : PUBLIC(address, at));
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    for (const scheme of ['http', 'https']) {
      checks = 0;
      expect(await get(`${scheme}://name.example.com:${port}/`, { guard, resolve })).toEqual(NOT_PUBLIC);
    }
    await expect.poll(() => connections).toBe(2);
    await new Promise((resolve) => server.getConnections(resolve));
    expect(received).toBe(0);
  });

  it('reports a name that has no address or does not exist', async () => {
    const url = 'http://nowhere.example.com/';
    expect(await get(url, { resolve: async () => [] })).toEqual({ kind: 'refused', reason: 'its name has no address' });
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND nowhere.example.com'), { code: 'ENOTFOUND' });
    const answer = await get(url, { resolve: () => Promise.reject(unknown) });
    expect(answer).toEqual({ kind: 'failed', reason: 'no connection (ENOTFOUND)' });
  });

  it('does not follow redirects', async () => {
    const server = await startSubscriber();
    server.answer = () => ({ status: 307, body: '', headers: { Location: server.url('/elsewhere') } });
    expect(await get(server.url('/'))).toMatchObject({ kind: 'answered', status: 307 });
    expect(server.requests).toHaveLength(1);
  });

  it('does not use a proxy of the environment', async () => {
    const [server, proxy] = [await startSubscriber(), await startSubscriber()];
    const names = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    onTestFinished(() => {
      names.forEach((name, index) => {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      });
    });
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url('');
    expect(await get(server.url('/'))).toMatchObject({ status: 200 });
    expect(proxy.requests).toEqual([]);
  });

  it('times out on a server that does not respond, or only slowly', async () => {
    const server = await startSubscriber();
    server.answer = () => 'hang';
    const slow = { kind: 'failed', reason: 'no answer within 0.1 s' };
    expect(await get(server.url('/'), { timeLimitMs: 100 })).toEqual(slow);
    const trickle = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => trickle.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void trickle.close());
    const { port } = trickle.address() as AddressInfo;
    expect(await get(`http://127.0.0.1:${port}/`, { timeLimitMs: 100 })).toEqual(slow);
    // Also on one that accepts connections and does not speak TLS.
    expect(await get(server.url('/').replace('http:', 'https:'), { timeLimitMs: 200 })).toMatchObject({
      kind: 'failed',
    });
  });

  it('reads only the beginning of a long response', async () => {
    const server = await startSubscriber();
    server.answer = () => ({ status: 200, body: 'x'.repeat(1_000_000) });
    const answer = await get(server.url('/'));
    expect(answer).toMatchObject({ kind: 'answered', status: 200, whole: false });
    expect(answer.kind === 'answered' && answer.body.length).toBe(4_096);
  });

  it('reports errors without the address', async () => {
    const server = await startSubscriber();
    server.answer = () => 'cut';
    expect(await get(server.url('/'))).toEqual({ kind: 'failed', reason: 'no connection (ECONNRESET)' });
    // The guard takes it for a web port, and no system gives it out to another server.
    expect(await get('http://127.0.0.1:1024/')).toEqual({ kind: 'failed', reason: 'no connection (ECONNREFUSED)' });
  });

  it('ends at once when it is aborted', async () => {
    const server = await startSubscriber();
    const abort = new AbortController();
    server.answer = () => {
      abort.abort();
      return 'hang';
    };
    expect(await get(server.url('/'), { signal: abort.signal })).toMatchObject({ kind: 'failed' });
  });

  it('accepts only valid TLS certificates', async () => {
    const { key, cert } = makeCertificate(Date.now());
    const server: Server = createServer({ key, cert }, (_, response) => response.end('secret'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await get(url)).toEqual({ kind: 'failed', reason: 'no connection (DEPTH_ZERO_SELF_SIGNED_CERT)' });
    const usual = getCACertificates('default');
    onTestFinished(() => setDefaultCACertificates(usual));
    setDefaultCACertificates([...usual, cert]);
    expect(await get(url)).toMatchObject({ kind: 'answered', body: Buffer.from('secret') });
    // Its certificate is for an address, not for this name.
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    expect(await get(url.replace('127.0.0.1', 'name.example.com'), { resolve })).toEqual({
      kind: 'failed',
      reason: 'no connection (ERR_TLS_CERT_ALTNAME_INVALID)',
    });
  });
});

function limits(change: Partial<RequestLimits> = {}): RequestLimits {
  return { guard: LOCAL, resolve: () => Promise.reject(new Error('no name')), timeLimitMs: 5_000, ...change };
}

function get(url: string, change: Partial<RequestLimits> = {}) {
  return guardedRequest({ url, method: 'GET', headers: {} }, limits(change));
}
