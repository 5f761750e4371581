/**
 * The pictures on other servers: each URL is looked up once, by one of the processes that share the store, and then
 * known for all articles. An article waits in `remote_image_uses` until its picture is known or given up.
 */
import { sql } from 'kysely';
import { claimRows, isClaimable, skipLocked, updateClaimed } from '../../core/store/lease.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import { sha256 } from '../../lib/sha256.ts';
import { DAY, HOUR, MINUTE } from '../../lib/time.ts';
import type { Article, Image } from '../article.ts';
import { recordPendingChanges } from '../pending-changes.ts';
import { encodeDocument, toArticle } from '../stored-document.ts';

export interface ClaimedImage {
  key: string;
  url: string;
  /** Failures before this attempt. */
  attempts: number;
  fence: number;
}

export type LookUpOutcome =
  | { kind: 'found'; facts: ImageFacts }
  /** No picture, or not one that feeds can name: trying again would not help. */
  | { kind: 'rejected'; reason: string }
  /**
   * `retryAt`: an instant before which the server asks not to be called, or null. `isServerDown`: its other pictures
   * would probably fail too.
   */
  | { kind: 'failed'; reason: string; retryAt: number | null; isServerDown: boolean }
  /** Not tried: the process is stopping or busy. */
  | { kind: 'postponed' };

/** Longer than fetching (20 s) and decoding (10 s), with other pictures before it. */
const LEASE = 2 * MINUTE;
/** After each failure; after the last one it is given up. */
const RETRY_DELAYS = [MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY];
/** An article that is imported again so long after its picture was given up starts new attempts. */
const RESTART_AFTER = HOUR;
/** A literal, because SQLite uses a partial index only where it sees its condition. */
const IS_PENDING = sql<boolean>`state = 'pending'`;
const IS_FAILED = sql<boolean>`state = 'failed'`;

/** Reads what is known of pictures. @returns by URL */
export async function findImageFacts(db: Db, urls: string[]): Promise<Map<string, ImageFacts>> {
  if (urls.length === 0) return new Map();
  const rows = await db
    .selectFrom('remote_images')
    .select(['url', 'type', 'length', 'width', 'height'])
    .where('key', 'in', [...new Set(urls)].map(sha256))
    .where('state', '=', 'found')
    .execute();
  return new Map(rows.map(({ url, ...facts }) => [url, facts as ImageFacts]));
}

/** Queues the pictures of articles that are not known, and ends the waiting of those that are. */
export async function queueImages(tx: Tx, articles: Article[], now: number): Promise<void> {
  const ids = articles.map(({ id }) => id);
  if (ids.length > 0) await tx.deleteFrom('remote_image_uses').where('article_id', 'in', ids).execute();
  const uses = articles.flatMap((article) => {
    const url = urlToLookUp(article);
    // The URL itself may be longer than PostgreSQL's indexes allow.
    return url === null ? [] : { articleId: article.id, url, key: sha256(url) };
  });
  if (uses.length === 0) return;
  const images = [...new Map(uses.map(({ key, url }) => [key, url]))].sort(([a], [b]) => (a < b ? -1 : 1));
  await tx
    .insertInto('remote_images')
    .values(images.map(([key, url]) => ({ key, url, state: 'pending' as const, attempts: 0, due_at: now, fence: 0 })))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ state: 'pending', attempts: 0, due_at: now, lease_until: null })
        .where('remote_images.state', '=', 'failed')
        .where('remote_images.checked_at', '<=', now - RESTART_AFTER),
    )
    .execute();
  await tx
    .insertInto('remote_image_uses')
    .values(uses.map(({ articleId, key }) => ({ article_id: articleId, key })))
    .execute();
}

/** Claims due pictures, longest due first. */
export async function claimImages(db: Db, now: number, limit: number): Promise<ClaimedImage[]> {
  const due = await db
    .selectFrom('remote_images')
    .select('key')
    .where(IS_PENDING)
    .where(isClaimable('remote_images', now))
    .orderBy('due_at')
    .orderBy('key')
    .limit(limit)
    .execute();
  if (due.length === 0) return [];
  const keys = sql.join(due.map(({ key }) => key));
  const rows = await claimRows(db, 'remote_images', sql`key in (${keys}) and ${IS_PENDING}`, {
    now,
    until: now + LEASE,
  });
  return rows.map(({ key, url, attempts, fence }) => ({ key, url, attempts, fence }));
}

/**
 * Records the outcome. `completeArticles` tells the articles.
 * @returns whether it was given up; null where another process has claimed it since
 */
export async function recordLookUp(
  db: Db,
  { key, fence, attempts }: ClaimedImage,
  outcome: LookUpOutcome,
  now: number,
): Promise<{ isGivenUp: boolean } | null> {
  const columns = columnsAfter(attempts, outcome, now);
  return db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await updateClaimed(tx, 'remote_images', { key, fence })
      .set({ lease_until: null, ...columns })
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return null;
    const isGivenUp = columns.state === 'failed';
    if (isGivenUp) await tx.deleteFrom('remote_image_uses').where('key', '=', key).execute();
    return { isGivenUp };
  });
}

function columnsAfter(attempts: number, outcome: LookUpOutcome, now: number) {
  switch (outcome.kind) {
    case 'postponed':
      return { state: 'pending' as const };
    case 'found':
      return { state: 'found' as const, ...outcome.facts, reason: null, checked_at: now };
    case 'rejected':
      return { state: 'failed' as const, attempts: attempts + 1, reason: outcome.reason, checked_at: now };
    case 'failed': {
      const delay = RETRY_DELAYS[attempts];
      const failure = { attempts: attempts + 1, reason: outcome.reason, checked_at: now };
      if (delay === undefined) return { state: 'failed' as const, ...failure };
      return { state: 'pending' as const, ...failure, due_at: Math.max(now + delay, outcome.retryAt ?? 0) };
    }
  }
}

/**
 * Leaves a server alone for a minute, or until the instant that it asks for. Otherwise the pictures of an archive would
 * each wait 20 seconds for a server that is down, and those of other servers behind them.
 */
export async function postponeServer(db: Db, url: string, retryAt: number | null, now: number): Promise<void> {
  const until = Math.max(now + MINUTE, retryAt ?? 0);
  const prefix = `${new URL(url).origin}/`;
  // Rows that an import or another process has locked keep their time: waiting for them could be a deadlock.
  const others = sql<string>`select key from remote_images
    where ${IS_PENDING} and due_at < ${until} and substr(url, 1, ${sql.lit(prefix.length)}) = ${prefix}
    ${skipLocked(db, 'remote_images')}`;
  await db.updateTable('remote_images').set({ due_at: until }).where(sql<boolean>`key in (${others})`).execute();
}

/** Articles of one transaction. */
const BATCH = 50;

/**
 * Gives articles that wait for a picture what was found of it. That is no edit: `updatedAt` stays, but their feeds are
 * published again.
 */
export async function completeArticles(db: Db, now: number): Promise<void> {
  while ((await db.transaction().execute((tx) => completeSome(tx, now))) === BATCH);
}

async function completeSome(tx: Tx, now: number): Promise<number> {
  const waiting = await tx
    .selectFrom('remote_image_uses as use')
    .innerJoin('remote_images as image', 'image.key', 'use.key')
    .select(['use.article_id', 'image.url', 'image.type', 'image.length', 'image.width', 'image.height'])
    .where('image.state', '=', 'found')
    .orderBy('use.article_id')
    .limit(BATCH)
    .execute();
  if (waiting.length === 0) return 0;
  const ids = waiting.map((row) => row.article_id);
  const rows = await tx
    .selectFrom('articles')
    .select('document')
    .where('id', 'in', ids)
    .orderBy('id')
    // As an import does: neither may overwrite what the other has written.
    .$if(dialectOf(tx) === 'postgres', (query) => query.forUpdate())
    .execute();
  const found = new Map(
    waiting.map(({ article_id, url, ...facts }) => [article_id, { url, facts: facts as ImageFacts }]),
  );
  for (const row of rows) {
    const article = toArticle(row);
    const image = found.get(article.id);
    // It may have another picture by now.
    if (image === undefined || article.image === null || urlToLookUp(article) !== image.url) continue;
    const document = encodeDocument({ ...article, image: withFacts(article.image, image.facts) });
    await tx
      .updateTable('articles')
      .set((e) => ({ ...document, document_version: e('document_version', '+', 1) }))
      .where('id', '=', article.id)
      .execute();
    if (article.status.state === 'draft') continue;
    await recordPendingChanges(tx, [{ articleId: article.id, dueAt: Math.max(now, article.publishedAt) }], now);
  }
  await tx.deleteFrom('remote_image_uses').where('article_id', 'in', ids).execute();
  return waiting.length;
}

export interface ImageCounts {
  /** Not looked up yet, or to be tried again. */
  pending: number;
  /** Given up. */
  failed: number;
}

export async function countImages(db: Db): Promise<ImageCounts> {
  const count = async (condition: typeof IS_PENDING): Promise<number> => {
    const query = db.selectFrom('remote_images').select((e) => e.fn.countAll<number>().as('count'));
    return (await query.where(condition).executeTakeFirstOrThrow()).count;
  };
  return { pending: await count(IS_PENDING), failed: await count(IS_FAILED) };
}

/** Lists pictures that were given up, newest first. */
export async function listFailedImages(db: Db, limit: number): Promise<{ url: string; reason: string; at: number }[]> {
  const rows = await db
    .selectFrom('remote_images')
    .select(['url', 'reason', 'checked_at'])
    .where(IS_FAILED)
    .orderBy('checked_at', 'desc')
    .orderBy('key', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ url, reason, checked_at }) => ({ url, reason: reason ?? '', at: checked_at ?? 0 }));
}

export interface ImageFacts {
  /** MIME type, by the content. */
  type: string;
  /** Bytes. */
  length: number;
  /** Pixels. */
  width: number;
  height: number;
}

/** The URL that must be looked up for an article, or null. */
export function urlToLookUp({ image }: Pick<Article, 'image'>): string | null {
  return image?.isLookedUp && (image.type === null || image.length === null) ? image.url : null;
}

/** The image with what was looked up, which takes precedence over what was written. */
function withFacts(image: Image, { type, length, width, height }: ImageFacts): Image {
  return { ...image, type, length, width, height };
}

/**
 * The image of an input with what is known of it: an unchanged article stays as it is when it is imported again.
 * @param stored the image of the stored article
 * @param known by URL
 */
export function completeImage(
  image: Image | null,
  stored: Image | null | undefined,
  known: ReadonlyMap<string, ImageFacts>,
): Image | null {
  if (!image?.isLookedUp) return image;
  const facts = known.get(image.url) ?? factsOf(stored?.url === image.url ? stored : null);
  return facts === null ? image : withFacts(image, facts);
}

function factsOf(image: Image | null): ImageFacts | null {
  if (!image?.isLookedUp) return null;
  const { type, length, width, height } = image;
  return type === null || length === null || width === null || height === null ? null : { type, length, width, height };
}
