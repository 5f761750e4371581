import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { findCandidates } from '../../../../src/editions/selection/candidates.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)(
  'keeps the sources and roundup items of a %s store: polled for articles, and let in by editors',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const store = await openStore({ databaseUrl, path: ':memory:' });
    try {
      const db = store.db as unknown as Kysely<unknown>;
      for (const [name, migrate] of Object.entries(MIGRATIONS)) if (name < '0018') await migrate(db, dialect);
      await sql`insert into articles (id, tag_uri, slug, kind, event_key, pinned, state, published_at, updated_at,
        created_at, digest, document) values ('item', 't', 'item', 'roundup-item', 'e', 0, 'published', 5, 5, 5, '',
        '{}')`.execute(db);
      await sql`insert into sources (id, url, configured_api, rules, due_at, problem)
        values ('site', 'https://times.example', 'auto', '', 7, 'kept')`.execute(db);
      const [newest] = Object.keys(MIGRATIONS).filter((name) => name.startsWith('0018'));
      await MIGRATIONS[newest as string]?.(db, dialect);
      const window = { from: 0, newsFrom: 0, newsHours: 24, windowHours: 48, until: 10, unseenFrom: 0 };
      const options = { newsletter: 'daily', window, lastEditionId: null, reissuedNumber: null, ruleOutlets: null };
      const candidates = await findCandidates(store.db, { ...options, basis: { only: null, added: [] } });
      expect(candidates).toMatchObject([{ id: 'item', eventKey: 'e', outlets: [] }]);
      const sources = await store.db.selectFrom('sources').selectAll().execute();
      expect(sources).toMatchObject([{ id: 'site', use: 'articles', due_at: 7, problem: 'kept' }]);
      await expect(sql`update sources set use = 'other'`.execute(db)).rejects.toThrow();
    } finally {
      await store.close();
    }
  },
);
