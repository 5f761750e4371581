import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { brotliCompressSync, deflateRawSync, deflateSync, Gunzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openAddressGuard, openFetchGuard } from '../../../src/lib/guarded-fetch/address-guard.ts';
import {
  type FetchClientOptions,
  type FetchRequest,
  openFetchClient,
  type RequestGate,
  retryAfter,
} from '../../../src/lib/guarded-fetch/fetch-client.ts';
import { DAY, HOUR, SECOND } from '../../../src/lib/time.ts';
import { makeCertificate } from '../../delivery/transport/certificate.ts';
import { runs } from '../../support/run-scope.ts';
import { ok, redirect, startRawServer } from './raw-server.ts';

const LOCAL = openAddressGuard({ allowed: ['127.0.0.0/8'] });
const CUT = { kind: 'failed', reason: 'its body is cut off' };
const MIB = 1024 * 1024;

describe('the fetch client', () => {
  it('returns status, headers and the decoded body', async () => {
    const bodies = {
      identity: Buffer.from('<rss/>'),
      gzip: gzipSync('<rss/>'),
      'x-gzip': gzipSync('<rss/>'),
      deflate: deflateSync('<rss/>'),
      br: brotliCompressSync('<rss/>'),
    };
    for (const [coding, body] of Object.entries(bodies)) {
      const server = await startRawServer(() =>
        ok([`Content-Encoding: ${coding}`, `Content-Length: ${body.length}`, 'ETag: W/"1"'], body),
      );
      const result = await get(server.url('/feed?a=1'));
      expect(result).toMatchObject({ kind: 'answered', status: 200, url: server.url('/feed?a=1'), movedTo: null });
      expect(result).toMatchObject({ headers: { etag: 'W/"1"' }, body: Buffer.from('<rss/>') });
    }
    const bare = deflateRawSync('<rss/>');
    const server = await startRawServer(() => ok(['Content-Encoding: deflate'], bare));
    expect(await get(server.url())).toMatchObject({ body: Buffer.from('<rss/>') });
  });

  it('sends the headers of the caller byte for byte, and its own', async () => {
    const etag = 'W/"é-ÿ,  x"';
    const server = await startRawServer(() => 'HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n');
    const date = 'Fri,27 Nov 2026 8:00:00 +0100';
    const result = await get(server.url(), { headers: { 'If-None-Match': etag, 'If-Modified-Since': date } });
    expect(result).toMatchObject({ kind: 'answered', status: 304, body: Buffer.alloc(0) });
    const lines = server.requests[0]?.split('\r\n') ?? [];
    expect(lines).toEqual(
      expect.arrayContaining([
        'GET / HTTP/1.1',
        `If-None-Match: ${etag}`,
        `If-Modified-Since: ${date}`,
        `Host: 127.0.0.1:${server.port}`,
        'User-Agent: daywire/1 (+https://times.example/)',
        'Accept-Encoding: gzip, deflate, br',
        'Connection: close',
      ]),
    );
  });

  it('reads no body where only the status is wanted, by GET or by HEAD', async () => {
    const long = `Content-Length: ${100 * MIB}`;
    const server = await startRawServer((path) =>
      path === '/moved' ? redirect(301, '/') : `HTTP/1.1 404 No\r\n${long}\r\nContent-Encoding: gzip\r\n\r\n`,
    );
    const answer = { kind: 'answered', status: 404, url: server.url('/'), body: Buffer.alloc(0) };
    expect(await get(server.url(), { wants: 'status' })).toMatchObject(answer);
    expect(await get(server.url('/moved'), { wants: 'status-by-head' })).toMatchObject(answer);
    expect(server.requests.map((head) => head.split('\r\n')[0])).toEqual([
      'GET / HTTP/1.1',
      'HEAD /moved HTTP/1.1',
      'HEAD / HTTP/1.1',
    ]);
  });

  it('tells a host name that does not exist from a name server that does not answer', async () => {
    const failing = (code: string) => ({ resolve: () => Promise.reject(Object.assign(new Error(code), { code })) });
    const fetch = (code: string) => get('http://nowhere.example/', {}, failing(code));
    expect(await fetch('ENOTFOUND')).toEqual({
      kind: 'failed',
      reason: 'no connection (ENOTFOUND)',
      isUnknownHost: true,
    });
    expect(await fetch('ENODATA')).toMatchObject({ isUnknownHost: true });
    for (const code of ['ESERVFAIL', 'ETIMEOUT', 'ECONNREFUSED']) {
      expect(await fetch(code)).toEqual({ kind: 'failed', reason: `no connection (${code})` });
    }
  });

  it('skips interim responses, and fails where there is no end of them', async () => {
    const server = await startRawServer((path) => {
      const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n'.repeat(Number(path.slice(1)));
      return Buffer.concat([Buffer.from(hints), ok([], 'end')]);
    });
    expect(await get(server.url('/10'))).toMatchObject({ kind: 'answered', status: 200, body: Buffer.from('end') });
    const reason = 'it sends interim responses without end';
    expect(await get(server.url('/11'))).toEqual({ kind: 'failed', reason });
  });

  it.each([
    ['Content-Length', ok(['Content-Length: 100'], 'half')],
    ['a chunked body', ok(['Transfer-Encoding: chunked'], '4\r\nhalf\r\n')],
    ['gzip', ok(['Content-Encoding: gzip'], gzipSync('whole').subarray(0, -9))],
    ['deflate', ok(['Content-Encoding: deflate'], deflateSync('whole').subarray(0, -5))],
    ['br', ok(['Content-Encoding: br'], brotliCompressSync('a whole text').subarray(0, -3))],
    ['an empty gzip', ok(['Content-Encoding: gzip', 'Content-Length: 0'], '')],
  ])('fails where a body is cut off, by %s', async (_, bytes) => {
    const server = await startRawServer(() => bytes);
    expect(await get(server.url())).toEqual(CUT);
  });

  it.each([
    ['gzip, gzip', 'its body is encoded more than once'],
    ['zstd', 'its body is in a coding other than gzip, deflate and br'],
    ['gzip', 'its body is not in the coding that it claims'],
  ])('fails for a body that claims the coding %s', async (coding, reason) => {
    const server = await startRawServer(() => ok([`Content-Encoding: ${coding}`], 'plain text'));
    expect(await get(server.url())).toEqual({ kind: 'failed', reason });
  });

  it('reads a body of 20 MiB, and fails for a longer one, whether it says so or not', async () => {
    const announced = await startRawServer(
      (_, socket) => void socket.write(ok([`Content-Length: ${20 * MIB + 1}`], '')),
    );
    const long = { kind: 'failed', reason: 'its body is longer than 20 MiB', isTooLong: true };
    expect(await get(announced.url())).toEqual(long);
    const exact = await startRawServer(() => ok([], Buffer.alloc(20 * MIB)));
    expect(await get(exact.url())).toMatchObject({ kind: 'answered' });
    const silent = await startRawServer(() => ok([], Buffer.alloc(MIB + 1)));
    const reason = 'its body is longer than 1 MiB';
    expect(await get(silent.url(), { maxBytes: MIB })).toEqual({ kind: 'failed', reason, isTooLong: true });
    expect(await get(silent.url(), { maxBytes: 500 })).toMatchObject({ reason: 'its body is longer than 500 bytes' });
  });

  it('stops to inflate a body within a mebibyte of the limit', async () => {
    // 256 MiB in 256 KiB: a gzip may have many members (RFC 1952 §2.2).
    const bomb = Buffer.concat(Array<Buffer>(256).fill(gzipSync(Buffer.alloc(MIB))));
    expect(bomb.length).toBeLessThan(MIB);
    let inflated = 0;
    const push = Gunzip.prototype.push;
    const spy = vi.spyOn(Gunzip.prototype, 'push').mockImplementation(function (this: Gunzip, chunk: unknown, ...rest) {
      inflated += (chunk as Buffer | null)?.length ?? 0;
      return push.call(this, chunk, ...rest);
    });
    onTestFinished(() => spy.mockRestore());
    const server = await startRawServer(() => ok(['Content-Encoding: gzip'], bomb));
    const long = { kind: 'failed', reason: 'its decoded body is longer than 10 MiB', isTooLong: true };
    expect(await get(server.url(), { maxBytes: 10 * MIB })).toEqual(long);
    expect(inflated).toBeGreaterThan(10 * MIB);
    expect(inflated).toBeLessThan(11 * MIB);
    // Without the header, it is unpacked after it was read.
    const silent = await startRawServer(() => ok([], bomb));
    expect(await get(silent.url(), { maxBytes: 10 * MIB })).toEqual(long);
  });

  it.each(['none', 'identity', 'UTF-8', 'none, identity'])('takes the coding “%s” for none', async (coding) => {
    const server = await startRawServer(() => ok([`Content-Encoding: ${coding}`], '<rss/>'));
    expect(await get(server.url())).toMatchObject({ body: Buffer.from('<rss/>') });
  });

  it('unpacks gzip without a header, and fails where it is cut off', async () => {
    const packed = gzipSync('<rss/>');
    const server = await startRawServer((path) => ok([], path === '/cut' ? packed.subarray(0, -9) : packed));
    expect(await get(server.url())).toMatchObject({ body: Buffer.from('<rss/>') });
    expect(await get(server.url('/cut'))).toEqual(CUT);
    const twice = await startRawServer(() => ok(['Content-Encoding: gzip'], gzipSync(packed)));
    expect(await get(twice.url())).toMatchObject({ body: Buffer.from('<rss/>') });
  });

  it('ends a slow drip, a silent server and a foreign protocol at the time limit', async () => {
    const timeout = { kind: 'failed', reason: 'it takes longer than 0.15 s' };
    const dripping = (fields: string[], piece: string) =>
      startRawServer((_, socket) => {
        socket.write(ok(fields, ''));
        const timer = setInterval(() => socket.write(piece), 20);
        socket.on('close', () => clearInterval(timer));
        return undefined;
      });
    const drip = await dripping(['Transfer-Encoding: chunked'], '1\r\nx\r\n');
    // Its end is that of the connection, which the limit closes.
    const endless = await dripping([], 'x');
    const silent = await startRawServer(() => undefined);
    // Nobody asked for another protocol (RFC 9110 §7.8).
    const switching = await startRawServer((_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
      return undefined;
    });
    const servers = [drip, endless, silent];
    const slow = await Promise.all(servers.map((server) => get(server.url(), {}, { timeLimitMs: 150 })));
    expect(slow).toEqual([timeout, timeout, timeout]);
    expect(await get(switching.url(), {}, { timeLimitMs: 150 })).toMatchObject({ kind: 'failed' });
  });

  it('waits less for a connection than for a body', async () => {
    const resolve = () => new Promise<never>(() => {});
    expect(await get('http://slow.example.com/', {}, { resolve, connectLimitMs: 50 })).toEqual({
      kind: 'failed',
      reason: 'no connection within 0.05 s',
    });
    // Accepts, and never speaks TLS.
    const server = await startRawServer(() => undefined);
    expect(await get(server.url().replace('http:', 'https:'), {}, { connectLimitMs: 50 })).toMatchObject({
      reason: 'no connection within 0.05 s',
    });
  });

  it('ends at once when it is stopped', async () => {
    const stop = new AbortController();
    const server = await startRawServer(() => {
      stop.abort();
      return undefined;
    });
    const client = openFetchClient(options());
    expect(await client.fetch({ url: server.url() }, stop.signal)).toMatchObject({ kind: 'failed' });
    expect(await client.fetch({ url: server.url() }, stop.signal)).toMatchObject({ kind: 'failed' });
    expect(server.connections).toBe(1);
  });

  it.each([301, 302, 303, 307, 308])('follows a redirect of %i', async (status) => {
    const server = await startRawServer((path) =>
      path === '/old' ? redirect(status, '/new?b=2#part') : ok(['Content-Length: 3'], 'new'),
    );
    const isPermanent = status === 301 || status === 308;
    expect(await get(server.url('/old'))).toMatchObject({
      status: 200,
      url: server.url('/new?b=2'),
      movedTo: isPermanent ? server.url('/new?b=2') : null,
      body: Buffer.from('new'),
    });
  });

  it('knows a new address only where every redirect is permanent', async () => {
    const hops: Record<string, string> = {
      '/a': redirect(301, '/b'),
      '/b': redirect(302, '/c'),
      '/d': redirect(308, '/e'),
    };
    const server = await startRawServer((path) => hops[path] ?? ok([], path));
    expect(await get(server.url('/a'))).toMatchObject({ url: server.url('/c'), movedTo: null });
    expect(await get(server.url('/d'))).toMatchObject({ movedTo: server.url('/e') });
    expect(await get(server.url('/e'))).toMatchObject({ movedTo: null });
  });

  it('follows four redirects, and no fifth', async () => {
    const server = await startRawServer((path) => {
      const left = Number(path.slice(1));
      return left === 0 ? ok([], 'end') : redirect(302, `/${left - 1}`);
    });
    expect(await get(server.url('/4'))).toMatchObject({ kind: 'answered', status: 200 });
    expect(await get(server.url('/5'))).toEqual({ kind: 'failed', reason: 'it redirects more than 4 times' });
    expect(server.requests).toHaveLength(5 + 5);
    expect(await get(server.url('/1'), {}, { maxRedirects: 0 })).toEqual({ kind: 'failed', reason: 'it redirects' });
    expect(await get(server.url('/0'), {}, { maxRedirects: 0 })).toMatchObject({ kind: 'answered' });
    expect(server.requests).toHaveLength(5 + 5 + 2);
  });

  it('fails for a redirect to nowhere', async () => {
    const server = await startRawServer(() => 'HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n');
    expect(await get(server.url())).toEqual({ kind: 'failed', reason: 'it answered 302 without a Location' });
  });

  it('keeps credentials on the same host, and drops them for good where a redirect leaves it', async () => {
    const other = await startRawServer((path) => (path === '/back' ? redirect(302, home.url('/end')) : ok([], '')));
    const home = await startRawServer((path) => {
      if (path === '/') return redirect(307, '/same');
      return path === '/same' ? redirect(307, other.url('/back')) : ok([], '');
    });
    const headers = { authorization: 'Bearer key', Cookie: 'a=b', 'If-None-Match': '"1"' };
    expect(await get(home.url(), { headers })).toMatchObject({ kind: 'answered', url: home.url('/end') });
    const sent = [...home.requests.slice(0, 2), ...other.requests, ...home.requests.slice(2)];
    expect(sent.map((head) => /Bearer key/.test(head))).toEqual([true, true, false, false]);
    expect(sent.map((head) => /a=b/.test(head))).toEqual([true, true, false, false]);
    expect(sent.every((head) => head.includes('If-None-Match: "1"'))).toBe(true);
  });

  it('returns the cookies of a redirect to their host, within the same request', async () => {
    const other = await startRawServer((path) =>
      path === '/wall' ? redirect(302, home.url('/feed')) : ok([], 'other'),
    );
    const home = await startRawServer((_, socket) => {
      const head = home.requests.at(-1) ?? '';
      if (/Cookie: /.test(head)) return ok([], 'feed');
      socket.end(
        `HTTP/1.1 302 Found\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nLocation: ${other.url('/wall')}\r\n\r\n`,
      );
      return undefined;
    });
    const cookies = (requests: string[]) => requests.map((head) => /Cookie: (.*)\r/.exec(head)?.[1]);
    expect(await get(home.url('/feed'))).toMatchObject({ status: 200, body: Buffer.from('feed') });
    expect(cookies(home.requests)).toEqual([undefined, 'a=1; b=2']);
    expect(cookies(other.requests)).toEqual([undefined]);
    // The next request begins without them.
    await get(home.url('/feed'));
    expect(cookies(home.requests)).toEqual([undefined, 'a=1; b=2', undefined, 'a=1; b=2']);
  });

  it('does not follow a redirect from https to http', async () => {
    const plain = await startRawServer(() => ok([], 'plain'));
    const { key, cert } = makeCertificate(Date.now());
    const secure = createServer({ key, cert }, (request, response) => {
      if (request.url === '/') response.writeHead(302, { Location: plain.url() }).end();
      else response.end('secure');
    });
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void secure.close());
    const usual = getCACertificates('default');
    onTestFinished(() => setDefaultCACertificates(usual));
    setDefaultCACertificates([...usual, cert]);
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`;
    expect(await get(`${url}page`)).toMatchObject({ body: Buffer.from('secure') });
    expect(await get(url)).toEqual({ kind: 'refused', reason: 'it redirects from https to http' });
    expect(plain.connections).toBe(0);
  });

  it.each([
    ['file:///etc/passwd', 'its URL is neither http nor https'],
    ['ftp://example.com/', 'its URL is neither http nor https'],
    ['http://ada:secret@127.0.0.1/', 'its URL contains a login'],
    ['not a url', 'its URL is not valid'],
  ])('refuses %s, also behind a redirect', async (url, reason) => {
    expect(await get(url)).toEqual({ kind: 'refused', reason });
    if (!URL.canParse(url)) return;
    const server = await startRawServer(() => redirect(302, url));
    expect(await get(server.url())).toEqual({ kind: 'refused', reason });
  });

  it('answers for every string that is given as a URL or header', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string({ unit: 'binary' }), async (url, header) => {
        const resolve = () => Promise.reject(new Error('no name'));
        const client = openFetchClient(options({ resolve, guard: () => 'no address is allowed' }));
        const result = await client.fetch({ url: `http://${url}`, headers: { 'If-None-Match': header } });
        expect(['refused', 'failed']).toContain(result.kind);
      }),
      { numRuns: runs(20) },
    );
  });
});

describe('the gate of a client', () => {
  it('admits each request of a chain of redirects, and is told when its response has been read', async () => {
    const events: string[] = [];
    const server = await startRawServer((path) => {
      events.push(`request ${path}`);
      return path === '/old' ? redirect(301, '/new') : ok([], 'new');
    });
    const gate = gateOf(events, async () => {});
    expect(await get(server.url('/old'), {}, { gate })).toMatchObject({ kind: 'answered', body: Buffer.from('new') });
    const hops = ['/old', '/new'].map((path) => [`enter ${path}`, `request ${path}`, `leave ${path}`]);
    expect(events).toEqual(hops.flat());
  });

  it('is told of requests that fail', async () => {
    const events: string[] = [];
    const cut = await startRawServer(() => ok(['Content-Length: 9'], 'cut'));
    expect(await get(cut.url('/cut'), {}, { gate: gateOf(events, async () => {}) })).toEqual(CUT);
    expect(events).toEqual(['enter /cut', 'leave /cut']);
  });

  it('does not use up the time limit of the server', async () => {
    const server = await startRawServer(() => ok([], 'late'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const gate = gateOf([], async () => void (await vi.advanceTimersByTimeAsync(60_000)));
    expect(await get(server.url(), {}, { gate, timeLimitMs: 50_000 })).toMatchObject({ body: Buffer.from('late') });
    vi.useRealTimers();
    const silent = await startRawServer(() => undefined);
    const open = gateOf([], async () => {});
    expect(await get(silent.url(), {}, { gate: open, timeLimitMs: 50 })).toMatchObject({
      reason: 'it takes longer than 0.05 s',
    });
  });

  it('may refuse a request: what it throws is no fault of the server', async () => {
    const server = await startRawServer(() => ok([], ''));
    const broken = gateOf([], () => Promise.reject(new Error('database closed')));
    await expect(get(server.url(), {}, { gate: broken })).rejects.toThrow('database closed');
    expect(server.connections).toBe(0);
  });

  it('stops waiting when the request is stopped', async () => {
    const stop = new AbortController();
    const gate = gateOf([], (signal) => {
      stop.abort();
      return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    });
    const client = openFetchClient(options({ gate }));
    expect(await client.fetch({ url: 'http://127.0.0.1:9/' }, stop.signal)).toMatchObject({ kind: 'failed' });
  });

  function gateOf(events: string[], wait: (signal: AbortSignal) => Promise<void>): RequestGate {
    return {
      async enter({ pathname }, signal) {
        await wait(signal);
        events.push(`enter ${pathname}`);
        return {
          async [Symbol.asyncDispose]() {
            events.push(`leave ${pathname}`);
          },
        };
      },
    };
  }
});

describe('addresses that lead into this machine or its network', () => {
  /** Host parts of URLs that all mean 127.0.0.1, ::1 or a private network. */
  const HOSTS = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '017700000001',
    '0.0.0.0',
    '0',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '①②⑦.0.0.1',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    'localhost',
    'localhost.',
    'news.localhost',
    'rebound.example.com',
  ];
  const others = ['169.254.169.254', '10.0.0.1', '192.168.0.1', '[fe80::1]', '[fd00::1]', '100.64.0.1'];

  it('are never connected to, neither directly nor behind a redirect', async () => {
    const server = await startRawServer(() => ok([], 'secret'));
    await startRawServer(() => ok([], 'secret'), { host: '::1', port: server.port });
    const gate = await startRawServer((path) => redirect(302, decodeURIComponent(path.slice(1))));
    // Names lead to loopback; one is public when it is first asked for.
    let asked = 0;
    const resolve = async (name: string) => {
      const address = name === 'rebound.example.com' && asked++ === 0 ? '203.0.113.7' : '127.0.0.1';
      return [{ address, family: 4 }];
    };
    // Only the redirecting server is public to this guard.
    const usual = openFetchGuard([]);
    const guard = (address: string, port: number) => (port === gate.port ? null : usual(address, port));
    const client = openFetchClient(options({ resolve, guard }));
    for (const host of [...HOSTS, ...others]) {
      const target = `http://${host}:${server.port}/`;
      expect(await client.fetch({ url: target }), target).toMatchObject({ kind: 'refused' });
      const hop = gate.url(`/${encodeURIComponent(target)}`);
      expect(await client.fetch({ url: hop }), hop).toMatchObject({ kind: 'refused' });
    }
    expect(HOSTS.length).toBeGreaterThanOrEqual(20);
    expect(gate.connections).toBe(HOSTS.length + others.length);
    expect(server.connections).toBe(0);
  });

  it('can be allowed as ranges, with the rule for ports below 1024', async () => {
    const server = await startRawServer(() => ok([], 'local'));
    const client = openFetchClient(options({ guard: openFetchGuard(['127.0.0.0/8']) }));
    expect(await client.fetch({ url: server.url() })).toMatchObject({ kind: 'answered' });
    expect(await client.fetch({ url: 'http://127.0.0.1:22/' })).toEqual({
      kind: 'refused',
      reason: 'its port 22 is not a web port',
    });
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 27, 8);

  it('is a number of seconds or a date, at most a day ahead and never in the past', () => {
    const at = (text: string) => retryAfter({ 'retry-after': text }, now);
    expect(at('120')).toBe(now + 120 * SECOND);
    expect(at('Fri, 27 Nov 2026 08:05:00 GMT')).toBe(now + 300 * SECOND);
    expect(at('Friday, 27-Nov-26 08:05:00 GMT')).toBe(now + 300 * SECOND);
    expect(at('Fri, 27 Nov 2020 08:05:00 GMT')).toBe(now);
    expect(at('0')).toBe(now);
    for (const long of ['86401', '9'.repeat(400), 'Sat, 27 Nov 2027 08:05:00 GMT']) expect(at(long)).toBe(now + DAY);
    expect(retryAfter({ 'retry-after': '999999' }, now, 48 * HOUR)).toBe(now + 48 * HOUR);
  });

  it('is nothing where it is missing or in no known format', () => {
    for (const text of ['', 'soon', '-1', '1.5', '1e3', '2026-11-27T08:05:00Z', '１２']) {
      expect(retryAfter({ 'retry-after': text }, now)).toBeNull();
    }
    expect(retryAfter({}, now)).toBeNull();
  });
});

function options(change: Partial<FetchClientOptions> = {}): FetchClientOptions {
  return {
    guard: LOCAL,
    resolve: () => Promise.reject(new Error('no name')),
    userAgent: 'daywire/1 (+https://times.example/)',
    ...change,
  };
}

function get(url: string, request: Partial<FetchRequest> = {}, change: Partial<FetchClientOptions> = {}) {
  return openFetchClient(options(change)).fetch({ ...request, url });
}
