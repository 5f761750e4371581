import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { deflateJson } from '../../../src/core/store/migrations/article-document.ts';
import { MIGRATIONS } from '../../../src/core/store/migrations.ts';
import { ensureSchema, migrate, schemaState } from '../../../src/core/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../../src/core/store/store.ts';
import { chunks } from '../../../src/lib/chunks.ts';
import { forBothDatabases, newPostgresUrl } from '../../support/databases.ts';

async function openEmpty(dialect: Dialect): Promise<Store> {
  if (dialect === 'sqlite') return openStore({ path: ':memory:' });
  return openStore({ databaseUrl: await newPostgresUrl('empty'), path: '' });
}

describe('the schema', () => {
  forBothDatabases((open, dialect) => {
    it('is created in an empty database, once', async () => {
      const store = await openEmpty(dialect);
      expect(await schemaState(store)).toEqual({ kind: 'empty' });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: true });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: false });
      expect(await migrate(store)).toEqual([]);
      await store.close();
    });

    it('gets the languages of stored articles, and survives a document that is damaged', async () => {
      const store = await openEmpty(dialect);
      const { '0007-article-languages': addLanguages, ...others } = MIGRATIONS;
      for (const up of Object.values(others)) await up(store.db as never, dialect);
      const rows = Array.from({ length: 1_200 }, (_, n) => ({
        ...{ id: `a${n}`, tag_uri: `tag:${n}`, slug: `a${n}`, kind: 'brief', pinned: 0, state: 'published' },
        ...{ published_at: n, updated_at: n, created_at: n, digest: '', json_bytes: 1 },
        document: deflateJson(Buffer.from(JSON.stringify({ language: n % 2 === 0 ? 'zh-Hans' : 'en' }))),
      }));
      const damaged = { ...rows[0], id: 'damaged', document: Buffer.from('?') };
      for (const some of [rows.slice(0, 600), rows.slice(600), [damaged]]) {
        await store.db
          .insertInto('articles')
          .values(some as never)
          .execute();
      }
      await addLanguages?.(store.db as never, dialect);
      const count = sql<number>`count(*)`.as('count');
      const counted = await store.db.selectFrom('articles').select(['language', count]).groupBy('language').execute();
      const byLanguage = Object.fromEntries(counted.map(({ language, count }) => [language, Number(count)]));
      expect(byLanguage).toEqual({ null: 1, 'zh-hans': 600, en: 600 });
      await store.close();
    });

    it('learns which stored articles have an address elsewhere, a damaged one included', async () => {
      const store = await openEmpty(dialect);
      const { '0009-article-pages': markPages, ...others } = MIGRATIONS;
      for (const up of Object.values(others)) await up(store.db as never, dialect);
      const rows = Array.from({ length: 1_001 }, (_, n) => ({
        ...{ id: `a${n}`, tag_uri: `tag:${n}`, slug: `a${n}`, kind: 'brief', pinned: 0, state: 'published' },
        ...{ published_at: n, updated_at: n, created_at: n, digest: '', json_bytes: 1 },
        document: deflateJson(Buffer.from(JSON.stringify({ url: n % 5 === 0 ? 'https://example.com/' : null }))),
      }));
      rows.push({ ...(rows[0] as (typeof rows)[0]), id: 'damaged', document: Buffer.from('?') });
      for (const some of chunks(rows, 500)) {
        await store.db
          .insertInto('articles')
          .values(some as never)
          .execute();
      }
      await markPages?.(store.db as never, dialect);
      const elsewhere = await store.db.selectFrom('articles').select('id').where('has_url', '=', 1).execute();
      expect(elsewhere).toHaveLength(202);
      expect(elsewhere).toContainEqual({ id: 'damaged' });
      await store.close();
    });

    it('is refused with the unknown name when a newer version created it', async () => {
      const store = await open();
      await sql`insert into kysely_migration (name, timestamp) values ('0999_from_the_future', '2030')`.execute(
        store.db,
      );
      await expect(ensureSchema(store)).rejects.toThrow(/0999_from_the_future.*does not know/);
    });

    it('has CHECK constraints that refuse an unknown state', async () => {
      const { db } = await open();
      const subscriber = { email: 'a', email_key: 'a', created_at: 1 };
      const { id } = await db.insertInto('subscribers').values(subscriber).returning('id').executeTakeFirstOrThrow();
      const row = { subscriber_id: id, newsletter: 'daily', state: 'confirmed' as const, changed_at: 1 };
      await db.insertInto('subscriptions').values(row).execute();
      const unknown = db.updateTable('subscriptions').set({ state: sql`'subscribed'` });
      await expect(unknown.execute()).rejects.toThrow(/check constraint/i);
    });

    it('reads bigint columns as numbers', async () => {
      const store = await open();
      await store.db
        .insertInto('alerts')
        .values({
          key: 'c',
          kind: 'c',
          subject: '{}',
          actions: '[]',
          message: 'm',
          first_at: 1_790_000_000_000,
          last_at: 2,
          count: 1,
        })
        .execute();
      const row = await store.db.selectFrom('alerts').selectAll().executeTakeFirstOrThrow();
      expect(row.first_at).toBe(1_790_000_000_000);
    });

    it('sorts text by bytes', async () => {
      const store = await open();
      for (const key of ['b', 'A', 'a', 'é', 'Z'])
        await store.db.insertInto('meta').values({ key, value: '' }).execute();
      const rows = await store.db.selectFrom('meta').select('key').orderBy('key').execute();
      expect(rows.map((row) => row.key)).toEqual(['A', 'Z', 'a', 'b', 'é']);
    });
  });
});
