import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { NOW } from '../../../../scripts/test-edition.ts';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)(
  'keeps the deliveries and consents of a %s store: not reported as delivered, without a wording',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const store = await openStore({ databaseUrl, path: ':memory:' });
    try {
      const { db } = store;
      const run = async ([, migrate]: (typeof entries)[number]): Promise<void> =>
        migrate(db as unknown as Kysely<unknown>, dialect);
      const entries = Object.entries(MIGRATIONS);
      const at = entries.findIndex(([name]) => name === '0019-providers-and-consent');
      for (const entry of entries.slice(0, at)) await run(entry);
      await sql`insert into subscribers (email, email_key, created_at)
        values ('ada@example.com', 'ada@example.com', ${NOW})`.execute(db);
      await sql`insert into consent_events (subscriber_id, newsletter, change, channel, at)
        values (1, 'daily', 'confirmed', 'confirmation', ${NOW})`.execute(db);
      await sql`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at, digest,
        document) values ('r', 'tag:r', 'r', 'roundup', 0, 'published', ${NOW}, ${NOW}, ${NOW}, '', '{}')`.execute(db);
      await sql`insert into editions (newsletter, slot, slot_at, cutoff_at, number, headline, subject, preheader, nonce,
        html, text, archive_html, article_id, closed_at) values ('daily', '2026-11-24', ${NOW}, ${NOW}, 1, 'h', 's', 'p',
        'n', 'h', 't', 'a', 'r', ${NOW})`.execute(db);
      await sql`insert into deliveries (edition_id, subscriber_id, state, attempts, due_at, fence, changed_at)
        values (1, 1, 'submitted', 1, ${NOW}, 1, ${NOW})`.execute(db);

      await run(entries[at] as (typeof entries)[number]);

      const deliveries = await db.selectFrom('deliveries').select(['state', 'delivered_at']).execute();
      expect(deliveries).toEqual([{ state: 'submitted', delivered_at: null }]);
      const consent = await db.selectFrom('consent_events').select(['change', 'consent_text']).execute();
      expect(consent).toEqual([{ change: 'confirmed', consent_text: null }]);
    } finally {
      await store.close();
    }
  },
);
