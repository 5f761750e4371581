import { describe, expect, it } from 'vitest';
import { type DocumentLoader, type LoadedDocument, openFeedCache } from '../../../src/http/feeds/feed-cache.ts';

/** A store whose answers a test decides. */
function source(over: Partial<DocumentLoader> = {}) {
  const counts = { looks: 0, loads: 0 };
  let version = 1;
  let words = 'first';
  return {
    counts,
    change(next: string): void {
      version++;
      words = next;
    },
    shelf: (room?: number) =>
      openFeedCache(
        {
          version: async () => {
            counts.looks++;
            return over.version === undefined ? version : over.version();
          },
          load: async (name) => {
            counts.loads++;
            return over.load === undefined ? document(name, `${words} ${name}`) : over.load(name);
          },
        },
        room,
      ),
  };
}

function document(path: string, body: string): LoadedDocument {
  const codings = { gzip: Buffer.from('g'), br: Buffer.from('b') };
  const head = { path, mediaType: 'text/plain', hash: body, modifiedAt: 0 };
  return { document: { ...head, body, codings }, link: null };
}

const bodyOf = async (found: Promise<{ bodies: { identity: Buffer } } | null>): Promise<string | undefined> =>
  (await found)?.bodies.identity.toString();

describe('the shelf', () => {
  it('gives what the store holds at the moment of the request, and reads it once', async () => {
    const { shelf: open, counts, change } = source();
    const shelf = open();
    expect(await bodyOf(shelf.find('a'))).toBe('first a');
    expect(await bodyOf(shelf.find('a'))).toBe('first a');
    expect(counts.loads).toBe(1);
    change('second');
    expect(await bodyOf(shelf.find('a'))).toBe('second a');
    expect(counts.loads).toBe(2);
  });

  it('looks once for all requests that came in together, and loads once for them', async () => {
    const { shelf: open, counts } = source();
    const shelf = open();
    await Promise.all(Array.from({ length: 100 }, () => shelf.find('a')));
    expect(counts).toEqual({ looks: 1, loads: 1 });
    await Promise.all(Array.from({ length: 100 }, () => shelf.find('a')));
    expect(counts).toEqual({ looks: 2, loads: 1 });
  });

  it('answers a request by a look that began after it came, never by an earlier one', async () => {
    const looking = Promise.withResolvers<number>();
    const began = Promise.withResolvers<void>();
    const versions = [looking.promise, Promise.resolve(2)];
    let words = 'old';
    const shelf = openFeedCache({
      version: () => {
        began.resolve();
        return versions.shift() as Promise<number>;
      },
      load: async (name) => document(name, words),
    });
    const first = shelf.find('a');
    await began.promise;
    words = 'new';
    const second = shelf.find('a');
    looking.resolve(1);
    await first;
    expect(await bodyOf(second)).toBe('new');
    expect(versions).toEqual([]);
  });

  it('does not keep what was read while the version moved on', async () => {
    const loads: PromiseWithResolvers<LoadedDocument>[] = [];
    let version = 1;
    const shelf = openFeedCache({
      version: async () => version,
      load: () => {
        loads.push(Promise.withResolvers<LoadedDocument>());
        return (loads.at(-1) as PromiseWithResolvers<LoadedDocument>).promise;
      },
    });
    const waiting = async (count: number): Promise<void> => {
      while (loads.length < count) await new Promise(setImmediate);
    };
    const early = shelf.find('a');
    await waiting(1);
    version = 2;
    const late = shelf.find('a');
    await waiting(2);
    loads[1]?.resolve(document('a', 'new'));
    expect(await bodyOf(late)).toBe('new');
    loads[0]?.resolve(document('a', 'old'));
    expect(await bodyOf(early)).toBe('old');
    expect(await bodyOf(shelf.find('a'))).toBe('new');
  });

  it('keeps nothing for what is not there, so that strangers cannot fill it', async () => {
    const { shelf: open, counts } = source({ load: async () => null });
    const shelf = open();
    expect(await shelf.find('a')).toBeNull();
    expect(await shelf.find('a')).toBeNull();
    expect(counts.loads).toBe(2);
  });

  it('keeps as much as there is room for: what was asked for longest ago goes', async () => {
    const { shelf: open, counts } = source();
    // A document takes its body, seven bytes, and two of compressed ones.
    const shelf = open(3 * 9);
    for (const name of ['a', 'b', 'c', 'a', 'd']) await shelf.find(name);
    expect(counts.loads).toBe(4);
    await shelf.find('a');
    expect(counts.loads).toBe(4);
    await shelf.find('b');
    expect(counts.loads).toBe(5);
  });

  it('gives what it has while the store is away, and says what is wrong where it has nothing', async () => {
    let isAway = false;
    const away = new Error('away');
    const { shelf: open } = source({
      version: async () => {
        if (isAway) throw away;
        return 1;
      },
    });
    const shelf = open();
    await shelf.find('a');
    isAway = true;
    expect(await bodyOf(shelf.find('a'))).toBe('first a');
    await expect(shelf.find('b')).rejects.toBe(away);
    isAway = false;
    expect(await bodyOf(shelf.find('b'))).toBe('first b');
  });

  it('tries again where a document could not be read', async () => {
    let failures = 1;
    const { shelf: open } = source({
      load: async (name) => {
        if (failures-- > 0) throw new Error('torn');
        return document(name, 'whole');
      },
    });
    const shelf = open();
    await expect(shelf.find('a')).rejects.toThrow('torn');
    expect(await bodyOf(shelf.find('a'))).toBe('whole');
  });
});
