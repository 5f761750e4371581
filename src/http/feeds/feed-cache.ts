/**
 * Published documents at hand, as the store has them at the moment of each request: no process answers with what another has
 * replaced. One look at the store's version serves all requests that came in before it began, so that it costs each of them little.
 */

import type { FeedDocument } from '../../feeds/documents.ts';
import { SECOND } from '../../lib/time.ts';
import type { Coding } from '../server/negotiate.ts';
import type { CachedDocument } from './decide-response.ts';

export interface DocumentLoader {
  /** Grows with every change of what `load` gives. */
  version(): Promise<number>;
  /** The document of that name, or null. */
  load(name: string, client?: string): Promise<LoadedDocument | null>;
}

/** A document from the store, and what its Link header says. */
export interface LoadedDocument {
  document: Omit<FeedDocument, 'size' | 'body'> & { body: string | Buffer };
  link: string | null;
}

export interface FeedCache {
  /**
   * The document as it is now, or null.
   * @param client who asks, where that matters to who loads it
   * @throws what the store throws, where the document is not at hand from before
   */
  find(name: string, client?: string): Promise<CachedDocument | null>;
}

/** Bytes of bodies that are kept at hand; those asked for longest ago go first. */
const ROOM = 64 * 1024 * 1024;

/** A store that is slower than that is away, as far as readers are concerned. */
const LOOK_WITHIN = 2 * SECOND;

async function inTime<T>(look: Promise<T>): Promise<T> {
  const { promise: impatience, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the store does not answer')), LOOK_WITHIN);
  return Promise.race([look, impatience]).finally(() => clearTimeout(timer));
}

/** @param room bytes to keep at hand */
export function openFeedCache(source: DocumentLoader, room: number = ROOM): FeedCache {
  const kept = new Map<string, CachedDocument>();
  const loading = new Map<string, Promise<CachedDocument | null>>();
  let bytes = 0;
  let version = -1;
  /** The look that has not begun, which whoever comes now may share; and the one before it. */
  let next: Promise<void> | null = null;
  let last: Promise<void> = Promise.resolve();

  const clear = (): void => {
    kept.clear();
    loading.clear();
    bytes = 0;
  };

  const look = (): Promise<void> => {
    next ??= last = (async (before: Promise<void>) => {
      await before.catch(() => {});
      // What else has come in with this turn of the event loop.
      await new Promise(setImmediate);
      next = null;
      const now = await inTime(source.version());
      if (now === version) return;
      clear();
      version = now;
    })(last);
    return next;
  };

  const load = async (name: string, client?: string): Promise<CachedDocument | null> => {
    const found = await source.load(name, client);
    return found === null ? null : servable(found);
  };

  const keep = (name: string, document: CachedDocument): void => {
    kept.set(name, document);
    bytes += sizeOf(document);
    for (const [other, one] of kept) {
      if (bytes <= room) break;
      kept.delete(other);
      bytes -= sizeOf(one);
    }
  };

  return {
    async find(name, client) {
      try {
        await look();
      } catch (error) {
        // While the store is away, what was published before is better than nothing.
        const known = kept.get(name);
        if (known !== undefined) return known;
        throw error;
      }
      const known = kept.get(name);
      if (known !== undefined) {
        // The newest of the map is the last one to go.
        if (bytes > room / 2) {
          kept.delete(name);
          kept.set(name, known);
        }
        return known;
      }
      let underWay = loading.get(name);
      if (underWay === undefined) {
        const at = version;
        underWay = load(name, client).then((document) => {
          if (at === version && document !== null) keep(name, document);
          return document;
        });
        loading.set(name, underWay);
        const done = (): void => {
          if (loading.get(name) === underWay) loading.delete(name);
        };
        underWay.then(done, done);
      }
      return underWay;
    },
  };
}

function servable({ document, link }: LoadedDocument): CachedDocument {
  const { path, mediaType, hash, modifiedAt, body, codings } = document;
  const bodies: Record<Coding, Buffer> = { identity: Buffer.from(body), gzip: codings.gzip, br: codings.br };
  return { path, mediaType, hash, modifiedAt, bodies, link };
}

function sizeOf({ bodies }: CachedDocument): number {
  return bodies.identity.length + bodies.gzip.length + bodies.br.length;
}
