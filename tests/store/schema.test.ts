import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { describe, expect, it } from 'vitest';
import { claimDueDeliveries } from '../../src/delivery/queue/claim-due.ts';
import { migrationsFor } from '../../src/store/migrations.ts';
import { ensureSchema, migrate, schemaState } from '../../src/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../src/store/store.ts';
import { forEachDatabase, newPostgresUrl } from '../support/databases.ts';

async function openEmpty(dialect: Dialect): Promise<Store> {
  if (dialect === 'sqlite') return openStore({ path: ':memory:' });
  return openStore({ databaseUrl: await newPostgresUrl('empty'), path: '' });
}

describe('the schema', () => {
  forEachDatabase((open, dialect) => {
    it('is made in an empty database, once', async () => {
      const store = await openEmpty(dialect);
      expect(await schemaState(store)).toEqual({ kind: 'empty' });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: true });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: false });
      expect(await migrate(store)).toEqual([]);
      await store.close();
    });

    it('of a newer version is refused, with the name of what is unknown', async () => {
      const store = await open();
      await sql`insert into kysely_migration (name, timestamp) values ('0999_from_the_future', '2030')`.execute(
        store.db,
      );
      await expect(ensureSchema(store)).rejects.toThrow(/0999_from_the_future.*does not know/);
    });

    it('that lacks a migration is refused, with its name and the command that helps', async () => {
      const store = await open();
      await sql`delete from kysely_migration where name = '0003_paused_editions'`.execute(store.db);
      await expect(ensureSchema(store)).rejects.toThrow(
        /lacks 0003_paused_editions: back it up, then run "daywire migrate"/,
      );
    });

    it('of the first release goes on with all that it holds: what was queued is claimed', async () => {
      const store = await openEmpty(dialect);
      const [first] = Object.entries(migrationsFor(dialect));
      const provider = { getMigrations: async () => Object.fromEntries([first as [string, Migration]]) };
      await new Migrator({ db: store.db, provider }).migrateToLatest();
      // Nothing of the second migration's columns.
      for (const insert of [
        sql`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at, digest, document)
          values ('a', 'a', 'a', 'roundup', 0, 'published', 1, 1, 1, '', '{}')`,
        sql`insert into editions (newsletter, slot, slot_at, cutoff_at, number, headline, subject, preheader, nonce, html, text,
          archive_html, article_id, closed_at) values ('daily', '2026-11-24', 1, 1, 1, '', '', '', '', '', '', '', 'a', 1)`,
        sql`insert into subscribers (email, email_key, created_at) values ('ada@example.com', 'ada@example.com', 1)`,
        sql`insert into subscriptions (subscriber_id, newsletter, state, changed_at) values (1, 'daily', 'confirmed', 1)`,
        sql`insert into deliveries (edition_id, subscriber_id, state, attempts, due_at, fence, changed_at)
          values (1, 1, 'pending', 2, 1, 3, 1)`,
      ])
        await insert.execute(store.db);
      expect(await migrate(store)).toEqual(Object.keys(migrationsFor(dialect)).slice(1));
      const options = { now: 2, limit: 10, leaseMs: 1, uncertain: 'retry', throttle: null } as const;
      expect((await claimDueDeliveries(store, options)).deliveries).toMatchObject([
        { email: 'ada@example.com', attempts: 2, fence: 4, staleAt: null },
      ]);
      await store.close();
    });

    it('reads bigint columns as numbers', async () => {
      const store = await open();
      await store.db
        .insertInto('alerts')
        .values({ cause: 'c', message: 'm', first_at: 1_790_000_000_000, last_at: 2, count: 1 })
        .execute();
      const row = await store.db.selectFrom('alerts').selectAll().executeTakeFirstOrThrow();
      expect(row.first_at).toBe(1_790_000_000_000);
    });

    it('orders text by its bytes', async () => {
      const store = await open();
      for (const key of ['b', 'A', 'a', 'é', 'Z'])
        await store.db.insertInto('meta').values({ key, value: '' }).execute();
      const rows = await store.db.selectFrom('meta').select('key').orderBy('key').execute();
      expect(rows.map((row) => row.key)).toEqual(['A', 'Z', 'a', 'b', 'é']);
    });
  });
});
