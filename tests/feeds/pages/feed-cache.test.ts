import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CachedDocument } from '../../../src/feeds/pages/decide-response.ts';
import {
  bytesInMemory,
  type DocumentLoader,
  FeedCache,
  openPublishedFeeds,
  toCached,
} from '../../../src/feeds/pages/feed-cache.ts';
import { openMigrated } from '../../support/databases.ts';
import { publishDocuments } from '../../support/documents.ts';
import { sampleConfig } from '../../support/sample.ts';

/** A loader that counts its calls. A test decides what it returns. */
function openLoader(over: Partial<DocumentLoader> = {}) {
  const calls = { version: 0, load: 0 };
  let version = 1;
  let body = 'first';
  const loader: DocumentLoader = {
    version: async () => {
      calls.version++;
      return over.version === undefined ? version : over.version();
    },
    load: async (name) => {
      calls.load++;
      return over.load === undefined ? document(name, `${body} ${name}`) : over.load(name);
    },
  };
  const change = (next: string): void => {
    version++;
    body = next;
  };
  return { loader, calls, change };
}

function document(path: string, body: string): CachedDocument {
  const codings = { gzip: gzipSync(body), br: Buffer.from('b') };
  return toCached({ path, mediaType: 'text/plain', hash: body, modifiedAt: 0, size: body.length, codings }, null);
}

const bodyOf = async (found: Promise<CachedDocument | null>): Promise<string | undefined> =>
  (await (await found)?.plain())?.toString();

describe('the feed cache', () => {
  it('returns what the store holds at the moment of the request, and loads it once', async () => {
    const { loader, calls, change } = openLoader();
    const cache = new FeedCache(loader);
    expect(await bodyOf(cache.find('a'))).toBe('first a');
    expect(await bodyOf(cache.find('a'))).toBe('first a');
    expect(calls.load).toBe(1);
    change('second');
    expect(await bodyOf(cache.find('a'))).toBe('second a');
    expect(calls.load).toBe(2);
  });

  it('checks the version once, and loads once, for requests that arrive together', async () => {
    const { loader, calls } = openLoader();
    const cache = new FeedCache(loader);
    await Promise.all(Array.from({ length: 100 }, () => cache.find('a')));
    expect(calls).toEqual({ version: 1, load: 1 });
    await Promise.all(Array.from({ length: 100 }, () => cache.find('a')));
    expect(calls).toEqual({ version: 2, load: 1 });
  });

  it('never serves a request by a version check that began before the request', async () => {
    const checking = Promise.withResolvers<number>();
    const began = Promise.withResolvers<void>();
    const versions = [checking.promise, Promise.resolve(2)];
    let body = 'old';
    const cache = new FeedCache({
      version: () => {
        began.resolve();
        return versions.shift() as Promise<number>;
      },
      load: async (name) => document(name, body),
    });
    const first = cache.find('a');
    await began.promise;
    body = 'new';
    const second = cache.find('a');
    checking.resolve(1);
    await first;
    expect(await bodyOf(second)).toBe('new');
    expect(versions).toEqual([]);
  });

  it('does not cache what was loaded while the version moved', async () => {
    const loads: PromiseWithResolvers<CachedDocument>[] = [];
    let version = 1;
    const cache = new FeedCache({
      version: async () => version,
      load: () => {
        const load = Promise.withResolvers<CachedDocument>();
        loads.push(load);
        return load.promise;
      },
    });
    const early = cache.find('a');
    await expect.poll(() => loads).toHaveLength(1);
    version = 2;
    const late = cache.find('a');
    await expect.poll(() => loads).toHaveLength(2);
    loads[1]?.resolve(document('a', 'new'));
    expect(await bodyOf(late)).toBe('new');
    loads[0]?.resolve(document('a', 'old'));
    expect(await bodyOf(early)).toBe('old');
    expect(await bodyOf(cache.find('a'))).toBe('new');
  });

  it('caches nothing for a document that does not exist, so that strangers cannot fill it', async () => {
    const { loader, calls } = openLoader({ load: async () => null });
    const cache = new FeedCache(loader);
    expect(await cache.find('a')).toBeNull();
    expect(await cache.find('a')).toBeNull();
    expect(calls.load).toBe(2);
  });

  it('drops the least recently used document when it is full', async () => {
    const { loader, calls } = openLoader();
    const cache = new FeedCache(loader, 3 * bytesInMemory(document('a', 'first a')));
    for (const name of ['a', 'b', 'c', 'a', 'd']) await cache.find(name);
    expect(calls.load).toBe(4);
    await cache.find('a');
    expect(calls.load).toBe(4);
    await cache.find('b');
    expect(calls.load).toBe(5);
  });

  it('returns what it has while the store is unavailable, and throws if it has nothing', async () => {
    let isAvailable = true;
    const unavailable = new Error('unavailable');
    const { loader } = openLoader({
      version: async () => {
        if (!isAvailable) throw unavailable;
        return 1;
      },
    });
    const cache = new FeedCache(loader);
    await cache.find('a');
    isAvailable = false;
    expect(await bodyOf(cache.find('a'))).toBe('first a');
    await expect(cache.find('b')).rejects.toBe(unavailable);
    isAvailable = true;
    expect(await bodyOf(cache.find('b'))).toBe('first b');
  });

  it('holds a published document in its compressed forms, and unpacks the plain one when it is asked for', async () => {
    const store = await openMigrated();
    const body = 'words '.repeat(1_000);
    await publishDocuments(store, [{ path: 'latest.rss', mediaType: 'application/rss+xml', body }], 0);
    const found = await openPublishedFeeds(store, sampleConfig()).find('latest.rss');
    expect(found).not.toHaveProperty('body');
    const [one, other] = await Promise.all([found?.plain(), found?.plain()]);
    expect(String(one)).toBe(body);
    expect(other).toBe(one);
  });

  it('unpacks again after an error, and never returns a body of another size', async () => {
    const whole = document('a', 'words');
    const damaged = toCached({ ...whole, size: 6 }, null);
    await expect(damaged.plain()).rejects.toThrow('the document has 5 bytes instead of 6');
    damaged.codings.gzip = gzipSync('words.');
    expect(String(await damaged.plain())).toBe('words.');
  });

  it('loads a document again after an error', async () => {
    let failures = 1;
    const { loader } = openLoader({
      load: async (name) => {
        if (failures-- > 0) throw new Error('torn');
        return document(name, 'whole');
      },
    });
    const cache = new FeedCache(loader);
    await expect(cache.find('a')).rejects.toThrow('torn');
    expect(await bodyOf(cache.find('a'))).toBe('whole');
  });
});
