import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)('the articles of a %s store have the first version', async (dialect) => {
  const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
  const store = await openStore({ databaseUrl, path: ':memory:' });
  try {
    const db = store.db as unknown as Kysely<unknown>;
    for (const [name, migrate] of Object.entries(MIGRATIONS)) if (name < '0023') await migrate(db, dialect);
    await sql`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at,
      digest, document) values ('one', 't', 'one', 'brief', 0, 'published', 5, 5, 5, '', '{}')`.execute(db);
    await MIGRATIONS['0023-document-version']?.(db, dialect);
    const rows = await store.db.selectFrom('articles').select(['id', 'document_version']).execute();
    expect(rows).toEqual([{ id: 'one', document_version: 1 }]);
  } finally {
    await store.close();
  }
});
