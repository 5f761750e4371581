/**
 * Holds back the news of a first import. A folder or an export may have hundreds of posts with a wrong date of today,
 * which would fill the next edition: if a first import has more than 20 articles of the last day, the operator decides.
 */
import { resolve } from 'node:path';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type RaisedAlert, syncAlerts } from '../../../core/alerts/alerts.ts';
import type { Db } from '../../../core/store/store.ts';
import { DAY } from '../../../lib/time.ts';
import { type Article, isPublic } from '../../article.ts';

/** Articles of the last day that a first import publishes without a question. */
const MOST_NEWS = 20;
const EXAMPLES = 3;

/** Why an article is among the rejections, after its place. */
export const HELD_RULE =
  `is held: its first import would make more than ${MOST_NEWS} articles news of today; look at them, then run ` +
  '"daywire import --yes" with the same path';

/** The news of one import. @typeParam T a record, with its file and line */
export class NewsHold<T extends { name: string; line: number | null }> {
  /** The first ones: there may be a hundred thousand. */
  readonly articles: T[] = [];
  count = 0;
  readonly #roots: readonly string[];
  readonly #most: number;

  /** @param roots folders and origins of sources that this is the first import of */
  constructor(roots: readonly string[], most: number) {
    this.#roots = roots;
    this.#most = most;
  }

  holds(origin: string, article: Article, now: number): boolean {
    const isNews = isPublic(article, now) && article.publishedAt > now - DAY;
    return isNews && this.#roots.some((root) => origin === root || origin.startsWith(`${root}/`));
  }

  add(article: T): void {
    this.count += 1;
    if (this.articles.length < MOST_NEWS) this.articles.push(article);
  }

  /** Whether the articles wait for the operator; otherwise they are published after all. */
  get isTooMuch(): boolean {
    return this.count > this.#most;
  }

  get examples(): string[] {
    return this.articles.slice(0, EXAMPLES).map(({ name, line }) => (line === null ? name : `${name}:${line}`));
  }
}

/**
 * @param roots what is imported: absolute paths of folders and files, or the origin of a source
 * @param since an import of articles that were stored later is the same first one: it may come in parts
 * @returns undefined if nothing is imported for the first time
 */
export async function openNewsHold<T extends { name: string; line: number | null }>(
  db: Db,
  roots: readonly string[],
  { now, since }: { now: number; since: number },
): Promise<NewsHold<T> | undefined> {
  const first: string[] = [];
  let most = MOST_NEWS;
  for (const root of roots.map((one) => one.replace(/\/$/, ''))) {
    // Drafts alone, such as the example of "daywire init", are no site.
    const stored = () => db.selectFrom('articles').where(isWithin('origin', root)).where('state', '<>', 'draft');
    const earlier = await stored().select('id').where('created_at', '<=', since).limit(1).executeTakeFirst();
    // While some are held, the same import goes on.
    if (earlier !== undefined && (await countHeld(db, root)) === 0) continue;
    const news = stored()
      .where('created_at', '>', since)
      .where('published_at', '>', now - DAY);
    const { count } = await news.select((e) => e.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
    first.push(root);
    most -= count;
  }
  return first.length === 0 ? undefined : new NewsHold<T>(first, Math.max(most, 0));
}

/** Raises an alert for each watched folder with held articles, and resolves all others. @param watch its paths */
export async function syncHeldAlerts(db: Db, watch: readonly string[], now: number): Promise<void> {
  const alerts: RaisedAlert[] = [];
  for (const folder of watch) {
    const held = await countHeld(db, resolve(folder));
    if (held === 0) continue;
    const message =
      `${held} ${held === 1 ? 'article' : 'articles'} of ${folder} are dated within the day before the first import ` +
      'of that folder, and wait for you: see "daywire rejected list".';
    // For a shell, where the path has a space.
    const argument = /^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`;
    const actions = [{ to: 'publish them', command: `import --yes ${argument}`, desk: null }];
    alerts.push({ kind: 'import-held', subject: { folder }, message, actions });
  }
  await syncAlerts(db, 'import-held', alerts, now);
}

async function countHeld(db: Db, root: string): Promise<number> {
  const { count } = await db
    .selectFrom('rejections')
    .select((e) => e.fn.countAll<number>().as('count'))
    // A literal, for the index.
    .where(sql<SqlBool>`held = 1`)
    // Items of a source are at `SOURCE/ITEM`.
    .where(isWithin('source', root.replace(/^source:/, '')))
    .executeTakeFirstOrThrow();
  return count;
}

/** Whether a column has this path, or one below it. "0" follows "/" in every collation of bytes. */
function isWithin(column: 'origin' | 'source', root: string): RawBuilder<SqlBool> {
  const path = sql.ref(column);
  return sql<SqlBool>`(${path} = ${root} or (${path} > ${`${root}/`} and ${path} < ${`${root}0`}))`;
}
