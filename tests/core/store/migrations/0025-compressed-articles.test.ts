import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { findArticle } from '../../../../src/articles/queries.ts';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { article } from '../../../support/articles.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)('keeps the articles of a %s store readable as they are', async (dialect) => {
  const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
  const store = await openStore({ databaseUrl, path: ':memory:' });
  try {
    const db = store.db as unknown as Kysely<unknown>;
    const before = Object.entries(MIGRATIONS).filter(([name]) => name < '0025');
    for (const [, migrate] of before) await migrate(db, dialect);
    const stored = article('a', { headline: 'Größe' });
    await sql`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at, digest,
      document) values ('a', 't', 'a', 'brief', 0, 'published', 5, 5, 5, '', ${JSON.stringify(stored)})`.execute(db);
    await MIGRATIONS['0025-compressed-articles']?.(db, dialect);
    expect(await findArticle(store.db, 'a')).toEqual(stored);
  } finally {
    await store.close();
  }
});
