/** The language of each article, by which feeds and newsletters select. */
import { type Kysely, sql } from 'kysely';
import { inflateJson } from './article-document.ts';
import { columnTypes } from './column-types.ts';

/** Documents that are read at once. */
const CHUNK = 500;

export async function addArticleLanguages(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  await sql.raw(`alter table articles add column language ${columnTypes(dialect).text}`).execute(db);
  for (let last = ''; ; ) {
    const { rows } = await sql<{ id: string; document: Uint8Array }>`
      select id, document from articles where id > ${last} order by id limit ${CHUNK}`.execute(db);
    const byLanguage = Map.groupBy(rows, ({ document }) => languageOf(document));
    for (const [language, some] of byLanguage) {
      const ids = sql.join(some.map(({ id }) => id));
      if (language !== null) await sql`update articles set language = ${language} where id in (${ids})`.execute(db);
    }
    if (rows.length < CHUNK) return;
    last = rows.at(-1)?.id ?? '';
  }
}

/** Null if the document is damaged or has none: its article is in no language. */
function languageOf(document: Uint8Array): string | null {
  try {
    const { language } = JSON.parse(inflateJson(document).toString()) as { language?: unknown };
    return typeof language === 'string' ? language.toLowerCase() : null;
  } catch {
    return null;
  }
}
