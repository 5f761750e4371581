/** Runs of `daywire import`: each remembers what it has added, so that it can be undone. */
import { type Selectable, sql } from 'kysely';
import type { AppContext } from '../../../core/app-context.ts';
import { type Db, dialectOf, inTransaction, type Tx } from '../../../core/store/store.ts';
import type { Tables } from '../../../core/store/tables.ts';
import { chunks } from '../../../lib/chunks.ts';
import { findImportFile, rememberFiles } from '../files/import-files.ts';
import { isFileOrigin } from '../origin.ts';
import { retractArticles } from '../retract.ts';

/** Runs that are kept: an older one can no longer be undone. */
const MAX_RUNS = 50;
const MAX_INPUT = 500;
const BATCH = 100;

/** What readers see of an article that an undone import had published. */
const NOTE = 'This story was published by mistake.';

/**
 * Runs an import that can be undone.
 * @param input what is imported, for people
 * @returns `run`: its number; null if it has added nothing
 */
export async function importAsRun<T>(
  db: Db,
  input: string,
  now: number,
  importAll: (run: number) => Promise<T>,
): Promise<{ result: T; run: number | null }> {
  const row = { started_at: now, input: input.slice(0, MAX_INPUT), added: 0 };
  const { id } = await db.insertInto('import_runs').values(row).returning('id').executeTakeFirstOrThrow();
  const kept = db.selectFrom('import_runs').select('id').orderBy('id', 'desc').limit(MAX_RUNS);
  await db.deleteFrom('import_run_articles').where('run', 'not in', kept).execute();
  await db.deleteFrom('import_runs').where('id', 'not in', kept).execute();
  const result = await importAll(id);
  const none = db.deleteFrom('import_runs').where('id', '=', id).where('added', '=', 0).returning('id');
  return { result, run: (await none.executeTakeFirst()) === undefined ? id : null };
}

/** @param ids of the articles that a run has added, in the same transaction */
export async function recordRunArticles(tx: Tx, run: number, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .insertInto('import_run_articles')
    .values(ids.map((id) => ({ run, article_id: id })))
    .execute();
  const count = { added: sql<number>`added + ${ids.length}` };
  await tx.updateTable('import_runs').set(count).where('id', '=', run).execute();
}

/** The runs that have added articles, newest first; at most 50. */
export async function listImportRuns(db: Db): Promise<Selectable<Tables['import_runs']>[]> {
  return db.selectFrom('import_runs').selectAll().where('added', '>', 0).orderBy('id', 'desc').execute();
}

/** Numbers of articles. Nothing had shown those that were deleted. */
export type UndoneRun = Record<'deleted' | 'retracted', number>;

/**
 * Takes back what a run has added: deletes what nothing has shown and no editor has changed yet, and retracts the rest.
 * Watched folders do not bring it again until a file changes; another `daywire import` does. After a crash, a second
 * call does the rest.
 * @returns null if there is no such run, or it has been undone
 */
export async function undoRun(app: AppContext, run: number): Promise<UndoneRun | null> {
  const { db } = app.store;
  const open = db.selectFrom('import_runs').select('id').where('id', '=', run).where('undone_at', 'is', null);
  if ((await open.executeTakeFirst()) === undefined) return null;
  const added = await db.selectFrom('import_run_articles').select('article_id').where('run', '=', run).execute();
  const undone: UndoneRun = { deleted: 0, retracted: 0 };
  for (const some of chunks(added, BATCH)) {
    const ids = some.map(({ article_id }) => article_id);
    const part = await inTransaction(db, (tx) => undoSome(tx, app, run, ids));
    undone.deleted += part.deleted;
    undone.retracted += part.retracted;
  }
  await db.updateTable('import_runs').set({ undone_at: app.clock() }).where('id', '=', run).execute();
  return undone;
}

async function undoSome(tx: Tx, { config, clock }: AppContext, run: number, ids: string[]): Promise<UndoneRun> {
  const now = clock();
  const unshown = await findUnshown(tx, ids, now);
  const shown = ids.filter((id) => !unshown.includes(id));
  await keepFromWatching(tx, config.import.watch, ids, now);
  // Its date may be what was wrong.
  const options = { note: NOTE, publicUrl: config.publication.url, isDateInvented: true } as const;
  const retracted = await retractArticles(tx, shown, options, now);
  await deleteArticles(tx, unshown);
  await tx.deleteFrom('import_run_articles').where('run', '=', run).where('article_id', 'in', ids).execute();
  return { deleted: unshown.length, retracted: retracted.length };
}

/** Articles that are not public yet, or that no publish, no feed, no edition and no editor has taken up. */
async function findUnshown(tx: Tx, ids: string[], now: number): Promise<string[]> {
  // A publish that shows one for the first time locks it until feeds are stored.
  const locked = tx.selectFrom('articles').select('id').where('id', 'in', ids).orderBy('id');
  if (dialectOf(tx) === 'postgres') await locked.forUpdate().execute();
  const feeds = await tx.selectFrom('feed_builds').select('items').execute();
  const inFeeds = new Set(feeds.flatMap(({ items }) => (JSON.parse(items) as [string, number][]).map(([id]) => id)));
  const used = ['edition_articles', 'edition_omissions', 'article_edits'];
  const among = sql`(${sql.join(ids)})`;
  const usedIds = used.map((table) => sql`select article_id from ${sql.table(table)} where article_id in ${among}`);
  // A change that waits since the article was stored is its first one.
  const { rows } = await sql<{ id: string }>`
    select articles.id from articles left join pending_changes on pending_changes.article_id = articles.id
    where articles.id in ${among}
      and (articles.state = 'draft' or articles.published_at > ${now}
        or pending_changes.changed_at = articles.created_at)
      and articles.id not in (${sql.join(usedIds, sql` union all `)})`.execute(tx);
  return rows.map(({ id }) => id).filter((id) => !inFeeds.has(id));
}

/** With all rows that hang on them; tags, reporters, slugs, words and edits go with the article. */
async function deleteArticles(tx: Tx, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  for (const table of ['pending_changes', 'remote_image_uses', 'import_run_articles'] as const) {
    await tx.deleteFrom(table).where('article_id', 'in', ids).execute();
  }
  await tx.deleteFrom('articles').where('id', 'in', ids).execute();
}

/** Remembers files of watched folders as they are: otherwise the next look at them would publish them again. */
async function keepFromWatching(tx: Tx, watch: string[], ids: string[], now: number): Promise<void> {
  if (watch.length === 0) return;
  const articles = await tx.selectFrom('articles').select('origin').distinct().where('id', 'in', ids).execute();
  for (const { origin } of articles) {
    const file = origin !== null && isFileOrigin(origin) ? await findImportFile(watch, origin) : null;
    if (file !== null) await rememberFiles(tx, [file], now);
  }
}
