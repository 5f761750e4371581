/** Writes the members of archives: where each archive has an article, which articles wait, and the closed pages. */
import { sql } from 'kysely';
import { jsonIds, jsonRows } from '../../core/store/json-rows.ts';
import { dialectOf, type Tx } from '../../core/store/store.ts';
import { SECOND } from '../../lib/time.ts';
import { archivePagePath, findNewestPage } from './archive-page.ts';
import type { Archive } from './archives.ts';
import { byRecording, type Member, type PlannedPage } from './plan-pages.ts';

/**
 * Where archives have an article: for each archive, by its number, the page, or 0 while the article is on no page yet.
 * Stored as one short text, such as `1:12 3:0`.
 */
export type Places = Map<number, number>;

/** Waiting for a page. */
export const NO_PAGE = 0;

/** @param text of `archive_places.places`; undefined for an article that no archive has */
export function parsePlaces(text: string | undefined): Places {
  const places: Places = new Map();
  for (const place of text === undefined || text === '' ? [] : text.split(' ')) {
    const [archive, page] = place.split(':');
    places.set(Number(archive), Number(page));
  }
  return places;
}

/** Same places, same text. */
export function writePlaces(places: Places): string {
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([archive, page]) => `${archive}:${page}`)
    .join(' ');
}

/** Reads where archives have articles. @returns an entry for each id */
export async function readPlaces(tx: Tx, ids: readonly string[]): Promise<Map<string, Places>> {
  const places = new Map<string, Places>(ids.map((id) => [id, new Map()]));
  if (ids.length === 0) return places;
  const asked = jsonIds(dialectOf(tx), ids);
  const { rows } = await sql<{ article_id: string; places: string }>`
    select article_id, places from ${asked} as asked cross join archive_places
    where archive_places.article_id = asked.id`.execute(tx);
  for (const row of rows) places.set(row.article_id, parsePlaces(row.places));
  return places;
}

export async function savePlaces(tx: Tx, places: ReadonlyMap<string, Places>): Promise<void> {
  if (places.size === 0) return;
  // Sorted, so that two processes never wait for each other's rows.
  const rows = [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, one]) => [id, writePlaces(one)]);
  const saved = jsonRows(dialectOf(tx), rows, { article_id: 'text', places: 'text' });
  await sql`insert into archive_places (article_id, places) select article_id, places from ${saved} as saved where true
    on conflict (article_id) do update set places = excluded.places`.execute(tx);
}

/** The articles of an archive that were recorded first, at most `limit`, by recording. */
export async function readWaiting(db: Pick<Tx, 'selectFrom'>, feed: string, limit: number): Promise<Member[]> {
  const rows = await db
    .selectFrom('archive_waiting')
    .select(['article_id as id', 'recorded_at as recordedAt', 'bytes'])
    .where('feed', '=', feed)
    .orderBy('recorded_at')
    .orderBy('article_id')
    .limit(limit)
    .execute();
  return rows.sort(byRecording);
}

export async function addWaiting(tx: Tx, feed: string, members: readonly Member[]): Promise<void> {
  if (members.length === 0) return;
  const rows = members.map(({ id, recordedAt, bytes }) => [recordedAt, id, bytes]);
  const added = jsonRows(dialectOf(tx), rows, { recorded_at: 'int', article_id: 'text', bytes: 'int' });
  await sql`insert into archive_waiting (feed, recorded_at, article_id, bytes)
    select cast(${feed} as text), recorded_at, article_id, bytes from ${added} as added`.execute(tx);
}

export async function deleteWaiting(tx: Tx, feed: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const deleted = jsonIds(dialectOf(tx), ids);
  await sql`delete from archive_waiting where feed = ${feed}
    and article_id in (select id from ${deleted} as deleted)`.execute(tx);
}

/**
 * Closes pages of an archive: nothing is added to them any longer.
 * @param places of their members; the archive's is set, and they are not saved
 */
export async function closePages(
  tx: Tx,
  { feed, number }: Pick<Archive, 'feed' | 'number'>,
  planned: readonly PlannedPage[],
  { places, now }: { places: Map<string, Places>; now: number },
): Promise<void> {
  if (planned.length === 0) return;
  const at = Math.floor(now / SECOND) * SECOND;
  let page = (await findNewestPage(tx, feed.id))?.page ?? 0;
  const counts = new Map<string, number>();
  const rows: (string | number)[][] = [];
  for (const { month, members } of planned) {
    page += 1;
    const count = (counts.get(month) ?? (await countPages(tx, feed.id, month))) + 1;
    counts.set(month, count);
    const ids = members.map(({ id }) => id).sort();
    rows.push([page, month, archivePagePath(feed.id, month, count), JSON.stringify(ids), now, at]);
    for (const id of ids) places.get(id)?.set(number, page);
  }
  const closed = jsonRows(dialectOf(tx), rows, {
    page: 'int',
    month: 'text',
    path: 'text',
    members: 'text',
    closed_at: 'int',
    changed_at: 'int',
  });
  await sql`insert into archive_pages (feed, page, month, path, members, closed_at, changed_at)
    select cast(${feed.id} as text), page, month, path, members, closed_at, changed_at
    from ${closed} as closed`.execute(tx);
}

async function countPages(tx: Tx, feed: string, month: string): Promise<number> {
  const { count } = await tx
    .selectFrom('archive_pages')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('feed', '=', feed)
    .where('month', '=', month)
    .executeTakeFirstOrThrow();
  return count;
}

/**
 * Moves the time of closed pages, because one of their articles has changed.
 * @param at whole seconds, epoch milliseconds
 */
export async function touchPages(tx: Tx, feed: string, pages: ReadonlySet<number>, at: number): Promise<void> {
  if (pages.size === 0) return;
  const values = [...pages].map((page) => [page]);
  const touched = jsonRows(dialectOf(tx), values, { page: 'int' });
  // Grows even if the clock has been set back.
  await sql`update archive_pages set changed_at =
      case when changed_at < cast(${at} as bigint) then cast(${at} as bigint) else changed_at + 1000 end
    where feed = ${feed} and page in (select page from ${touched} as touched)`.execute(tx);
}

/** Removes articles from an archive on whose pages they are not yet; they are added again if they come back. */
export function leaveArchive(places: Map<string, Places>, { number }: Pick<Archive, 'number'>, ids: string[]): void {
  for (const id of ids) if (places.get(id)?.get(number) === NO_PAGE) places.get(id)?.delete(number);
}
