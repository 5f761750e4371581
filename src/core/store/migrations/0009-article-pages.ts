/** Which articles have their page on this site: for sitemaps, which list no others. */
import { type Kysely, sql } from 'kysely';
import { inflateJson } from './article-document.ts';
import { columnTypes } from './column-types.ts';

export async function markPagesElsewhere(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { int } = columnTypes(dialect);
  await sql.raw(`alter table articles add column has_url ${int} not null default 0`).execute(db);
  for (let last = ''; ; ) {
    const { rows } = await sql<{ id: string; document: Uint8Array }>`
      select id, document from articles where id > ${last} order by id limit 500`.execute(db);
    if (rows.length === 0) break;
    const ids = rows.filter(({ document }) => hasUrl(document)).map(({ id }) => id);
    if (ids.length > 0) await sql`update articles set has_url = 1 where id in (${sql.join(ids)})`.execute(db);
    last = rows.at(-1)?.id ?? '';
  }
  // With all that the list of sitemaps needs: a million articles are counted in less than a second.
  const columns = 'published_at, state, updated_at';
  await sql.raw(`create index articles_with_page on articles (${columns}) where has_url = 0`).execute(db);
}

/** A damaged document has no page. */
function hasUrl(document: Uint8Array): boolean {
  try {
    return (JSON.parse(inflateJson(document).toString()) as { url?: unknown }).url !== null;
  } catch {
    return true;
  }
}
