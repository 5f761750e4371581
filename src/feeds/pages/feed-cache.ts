/**
 * Documents in memory, in their compressed forms; the plain one is unpacked when a client asks for it. Each request
 * checks the version of the feeds in the store, so that no process serves what another has replaced. One check serves
 * all requests that arrived before it began.
 */
import { LRUCache } from 'lru-cache';
import type { Config } from '../../core/config/config.ts';
import type { Store } from '../../core/store/store.ts';
import { SECOND } from '../../lib/time.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import { decompress } from '../compress.ts';
import { findPackedDocument, type PackedDocument } from '../documents.ts';
import { openVersionReader } from '../feed-version.ts';
import { hubAddress, isTopicPath, topicAddress } from '../topics.ts';
import type { CachedDocument } from './decide-response.ts';

export interface DocumentLoader {
  /** Grows with every change of what `load` returns. */
  version(): Promise<number>;
  /** The document of that name, or null. */
  load(name: string, client?: string): Promise<CachedDocument | null>;
}

/** Bytes of all forms; the least recently used go first. */
const CACHE_BYTES = 64 * 1024 * 1024;
/** Treat a slower store as unavailable. */
const CHECK_TIMEOUT = 2 * SECOND;

export class FeedCache {
  readonly #loader: DocumentLoader;
  readonly #documents: LRUCache<string, CachedDocument>;
  readonly #loading = new Map<string, Promise<CachedDocument | null>>();
  #version = -1;
  /** The check that has not begun yet, which new requests share. */
  #nextCheck: Promise<void> | null = null;
  #lastCheck: Promise<void> = Promise.resolve();

  constructor(loader: DocumentLoader, maxBytes: number = CACHE_BYTES) {
    this.#loader = loader;
    this.#documents = new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesInMemory });
  }

  /**
   * The current document, or null.
   * @param client who sent the request, for a loader that limits clients
   * @throws what the loader throws, unless the document is cached from before
   */
  async find(name: string, client?: string): Promise<CachedDocument | null> {
    try {
      await this.#check();
    } catch (error) {
      // While the store is unavailable, an earlier version is better than none.
      const cached = this.#documents.get(name);
      if (cached !== undefined) return cached;
      throw error;
    }
    return this.#documents.get(name) ?? this.#loading.get(name) ?? this.#load(name, client);
  }

  /** Empties the cache if the version has moved. A request waits for a check that began after the request arrived. */
  #check(): Promise<void> {
    this.#nextCheck ??= this.#lastCheck = (async (previous: Promise<void>) => {
      await previous.catch(() => {});
      // Let the requests of this turn of the event loop join.
      await new Promise(setImmediate);
      this.#nextCheck = null;
      const version = await withTimeout(this.#loader.version(), CHECK_TIMEOUT, 'the store does not respond');
      if (version === this.#version) return;
      this.#documents.clear();
      this.#loading.clear();
      this.#version = version;
    })(this.#lastCheck);
    return this.#nextCheck;
  }

  #load(name: string, client?: string): Promise<CachedDocument | null> {
    const version = this.#version;
    const loading: Promise<CachedDocument | null> = this.#loader
      .load(name, client)
      .then((document) => {
        if (document !== null && version === this.#version) this.#documents.set(name, document);
        return document;
      })
      .finally(() => {
        if (this.#loading.get(name) === loading) this.#loading.delete(name);
      });
    this.#loading.set(name, loading);
    return loading;
  }
}

/** Prepares a document for the cache. Its plain form is unpacked at the first request for it. */
export function toCached(document: PackedDocument, link: string | null): CachedDocument {
  let unpacking: Promise<Buffer> | null = null;
  const unpack = async (): Promise<Buffer> => {
    try {
      return await decompress(document.codings.gzip, document.size);
    } catch (error) {
      unpacking = null;
      throw error;
    }
  };
  return {
    ...document,
    link,
    plain() {
      unpacking ??= unpack();
      return unpacking;
    },
  };
}

/** Size of all forms, in bytes: the plain one may be asked for at any time. */
export function bytesInMemory({ codings, size }: CachedDocument): number {
  return codings.gzip.length + codings.br.length + size;
}

const DOCUMENT_PATH = /^[a-z0-9][a-z0-9./-]{0,199}$/;

/** The published documents, by their path below feeds/. */
export function openPublishedFeeds({ db }: Store, config: Config): FeedCache {
  return new FeedCache({
    version: openVersionReader(db),
    load: async (path) => {
      const document = DOCUMENT_PATH.test(path) ? await findPackedDocument(db, path) : null;
      return document && toCached(document, linkHeader(path, config));
    },
  });
}

/** The Link header of a feed (WebSub §4): its hub, if one distributes it, and its own address. */
function linkHeader(path: string, config: Config): string | null {
  if (!/\.(?:rss|atom|json)$/.test(path)) return null;
  const hub = isTopicPath(path) ? hubAddress(config) : null;
  return `${hub === null ? '' : `<${hub}>; rel="hub", `}<${topicAddress(config, path)}>; rel="self"`;
}
