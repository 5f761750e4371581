import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { lookUpLinks } from '../../../src/editions/links/look-up-links.ts';
import { openAddressGuard } from '../../../src/lib/guarded-fetch/address-guard.ts';
import { type FetchClientOptions, openFetchClient } from '../../../src/lib/guarded-fetch/fetch-client.ts';
import { ok, redirect, startRawServer } from '../../lib/guarded-fetch/raw-server.ts';

const options: FetchClientOptions = {
  guard: openAddressGuard({ allowed: ['127.0.0.0/8'] }),
  resolve: async (name) => {
    if (name.startsWith('nowhere')) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
    if (name.startsWith('private')) return [{ address: '10.0.0.1', family: 4 }];
    return [{ address: '127.0.0.1', family: 4 }];
  },
  userAgent: 'daywire/1 (+https://times.example/)',
};
const client = openFetchClient(options);
const impatient = openFetchClient({ ...options, timeLimitMs: 60 });

const empty = (status: number, ...lines: string[]): string =>
  [`HTTP/1.1 ${status} Status`, 'Content-Length: 0', ...lines, '', ''].join('\r\n');

function lookUp(urls: string[], signal = AbortSignal.timeout(60_000), pauseMs = 0) {
  return lookUpLinks(urls, { client, pauseMs }, signal);
}

describe('looking up links', () => {
  it('tells links that work from dead ones and from those that cannot be checked', async () => {
    const statuses = [200, 204, 401, 403, 404, 410, 451, 500, 503];
    const server = await startRawServer((path) =>
      path === '/moved' ? redirect(301, '/404') : empty(Number(path.slice(1))),
    );
    const url = (path: number | string): string => server.url(`/${path}`);
    const found = await lookUp([...statuses.map(url), url('moved')]);
    const answered = (kind: string, status: number) => ({ kind, reason: `its server answered ${status}` });
    expect(found).toEqual(
      new Map<string, unknown>([
        [url(200), { kind: 'works' }],
        [url(204), { kind: 'works' }],
        ...[401, 403, 451, 500, 503].map((status) => [url(status), answered('unchecked', status)] as const),
        ...[404, 410].map((status) => [url(status), answered('dead', status)] as const),
        [url('moved'), answered('dead', 404)],
      ]),
    );
  });

  it('finds names that do not exist, and calls no private address', async () => {
    const [nowhere, internal] = ['http://nowhere.example/', 'http://private.example/'];
    const found = await lookUp([nowhere, internal]);
    const unknown = { kind: 'dead', reason: 'the name of its host does not exist' };
    expect(found.get(nowhere)).toEqual(unknown);
    expect(found.get(internal)).toEqual({ kind: 'unchecked', reason: 'its address is not public' });
  });

  it('suspects the network where no host name exists at all', async () => {
    const suspected = { kind: 'unchecked', reason: 'no host has a name here: is the network down?' };
    for (const urls of [['http://nowhere.example/', 'http://nowhere-else.example/'], ['http://nowhere.example/']]) {
      expect(await lookUp(urls)).toEqual(new Map(urls.map((url) => [url, suspected])));
    }
  });

  it('asks by GET where HEAD does not succeed, and reads no body', async () => {
    const server = await startRawServer((_path, socket) => {
      const method = server.requests.at(-1)?.split(' ')[0];
      if (method === 'HEAD') return empty(405);
      // Without an end: only who reads the body would wait for it.
      socket.write(ok(['Content-Length: 900000000'], 'beginning'));
      return undefined;
    });
    expect(await lookUp([server.url('/page')])).toEqual(new Map([[server.url('/page'), { kind: 'works' }]]));
    expect(server.requests.map((head) => head.split(' HTTP')[0])).toEqual(['HEAD /page', 'GET /page']);
  });

  it('leaves a host alone that asks for fewer requests, or does not answer', async () => {
    const busy = await startRawServer(() => empty(429, 'Retry-After: 60'));
    const silent = await startRawServer(() => undefined);
    const urls = (server: { url(path: string): string }) => [1, 2, 3, 4, 5, 6].map((n) => server.url(`/${n}`));
    const found = await lookUp(urls(busy));
    const unanswered = await lookUpLinks(urls(silent), { client: impatient, pauseMs: 0 }, AbortSignal.timeout(60_000));
    expect(busy.requests.length).toBeLessThanOrEqual(2);
    expect(found.get(busy.url('/6'))).toEqual({
      kind: 'unchecked',
      reason: 'its server asked for fewer requests (429)',
    });
    // HEAD and GET of three links at most: two fail, while a third one has begun.
    expect(silent.requests.length).toBeLessThanOrEqual(6);
    expect(unanswered.get(silent.url('/1'))).toEqual({ kind: 'unchecked', reason: 'it takes longer than 0.06 s' });
    expect(unanswered.get(silent.url('/6'))).toEqual({
      kind: 'unchecked',
      reason: 'its server did not answer for other links',
    });
    expect([found.size, unanswered.size]).toEqual([6, 6]);
  });

  it('asks each host for two links at once, and waits between its requests', async () => {
    const waiting: Socket[] = [];
    let most = 0;
    const server = await startRawServer((_path, socket) => {
      waiting.push(socket);
      most = Math.max(most, waiting.length);
      // The first one of two is answered with the second.
      if (waiting.length === 2) for (const one of waiting.splice(0)) setImmediate(() => one.end(empty(200)));
      return undefined;
    });
    const began = performance.now();
    const found = await lookUp(
      Array.from({ length: 8 }, (_, n) => server.url(`/${n}`)),
      undefined,
      20,
    );
    expect(found.size).toBe(8);
    expect(most).toBe(2);
    expect(performance.now() - began).toBeGreaterThan(3 * 20 - 5);
  });

  it('ends when its time is over, and says nothing about links that it has not seen', async () => {
    const server = await startRawServer((path) => (path === '/fast' ? empty(200) : undefined));
    const stop = new AbortController();
    const urls = ['/fast', '/a', '/b', '/c'].map((path) => server.url(path));
    const looking = lookUp(urls, stop.signal);
    await expect.poll(() => server.requests.length).toBeGreaterThanOrEqual(2);
    stop.abort();
    const found = await looking;
    expect(found.size).toBeLessThan(urls.length);
    expect([...found.keys()].filter((url) => url !== server.url('/fast'))).toEqual([]);
    expect(await lookUp(urls, AbortSignal.abort())).toEqual(new Map());
  });
});
