/**
 * Archive pages: rendered on request, and cached until one of their articles changes. They are limited as derived feeds
 * are, since strangers cause the work.
 */
import { LRUCache } from 'lru-cache';
import type { Config } from '../../core/config/config.ts';
import type { Db, Store } from '../../core/store/store.ts';
import type { Log } from '../../lib/log.ts';
import { sha256 } from '../../lib/sha256.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import { ARCHIVE_FOLDER, type ArchivePage, findArchivePage, renderArchivePage } from '../archive/archive-page.ts';
import { compress } from '../compress.ts';
import { FORMATS } from '../formats/feed-view.ts';
import { topicAddress } from '../topics.ts';
import { BuildLimiter } from './build-limiter.ts';
import type { CachedDocument } from './decide-response.ts';
import { bytesInMemory, toCached } from './feed-cache.ts';

/** Strangers choose what is cached here. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** A feed reader that is new to a feed reads its whole archive, once. */
const PAGES_OF_CLIENT = { everyMs: SECOND / 10, burst: 2_000 };

const DOCUMENT = new RegExp(`^(${ARCHIVE_FOLDER}[a-z0-9-]{1,100}/[0-9-]{4,20})\\.(?:${FORMATS.join('|')})$`);

interface CachedPage {
  changedAt: number;
  document: CachedDocument;
}

export class ArchivePages {
  readonly #db: Db;
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  readonly #limiter: BuildLimiter;
  readonly #cached = new LRUCache<string, CachedPage>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ document }) => bytesInMemory(document),
  });
  readonly #rendering = new Map<string, Promise<CachedDocument | null>>();

  constructor({ db }: Store, config: Config, clock: Clock, log?: Log) {
    this.#db = db;
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
    this.#limiter = new BuildLimiter(clock, PAGES_OF_CLIENT);
  }

  /**
   * The document at a path below feeds/, or null.
   * @param client who sent the request
   * @throws BuildRefused if the client, or all clients together, asked for too many
   */
  async find(path: string, client: string): Promise<CachedDocument | null> {
    const [, pagePath] = DOCUMENT.exec(path) ?? [];
    if (pagePath === undefined) return null;
    const cached = this.#cached.get(path);
    const page = await findArchivePage(this.#db, pagePath).catch((error: unknown) => {
      // While the store is unavailable, an earlier version is better than none.
      if (cached === undefined) throw error;
      return cached;
    });
    if (page === null) return null;
    if (!('members' in page)) return page.document;
    if (cached?.changedAt === page.changedAt) return cached.document;
    const key = `${path} ${page.changedAt}`;
    const rendering = this.#rendering.get(key) ?? this.#limiter.build(client, () => this.#render(path, page));
    this.#rendering.set(key, rendering);
    return rendering.finally(() => this.#rendering.delete(key));
  }

  async #render(path: string, page: ArchivePage): Promise<CachedDocument | null> {
    const rendered = await renderArchivePage(this.#db, this.#config, page, this.#clock());
    const draft = rendered?.documents.find((one) => one.path === path);
    if (rendered === null || draft === undefined) return null;
    if (rendered.failed.length > 0) {
      const articles = rendered.failed.map(({ article, problems }) => `${article.id}: ${problems.join('; ')}`);
      this.#log?.warn({ page: page.path, articles }, 'an archive page lacks articles that cannot be items');
    }
    const body = Buffer.from(draft.body);
    const packed = {
      path,
      mediaType: draft.mediaType,
      hash: sha256(body),
      modifiedAt: page.changedAt,
      size: body.length,
      codings: await compress(body),
    };
    const document = toCached(packed, `<${topicAddress(this.#config, path)}>; rel="self"`);
    this.#cached.set(path, { changedAt: page.changedAt, document });
    return document;
  }
}
