import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { NOW } from '../../../../scripts/test-edition.ts';
import { createInitialSchema } from '../../../../src/core/store/migrations/0001-initial.ts';
import { addMessageIdDomain } from '../../../../src/core/store/migrations/0004-message-id-domain.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)(
  'adds the domain of Message-IDs to the editions of a %s store',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const store = await openStore({ databaseUrl, path: ':memory:' });
    try {
      const db = store.db as unknown as Kysely<unknown>;
      await createInitialSchema(db, dialect);
      await sql`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at, digest,
      document) values ('r', 'tag:r', 'r', 'roundup', 0, 'published', ${NOW}, ${NOW}, ${NOW}, '', '{}')`.execute(
        store.db,
      );
      await sql`insert into editions (newsletter, slot, slot_at, cutoff_at, number, headline, subject, preheader, nonce, html,
      text, archive_html, article_id, closed_at)
      values ('daily', '2026-11-24', ${NOW}, ${NOW}, 1, 'h', 's', 'p', 'n', 'h', 't', 'a', 'r', ${NOW})`.execute(
        store.db,
      );
      await addMessageIdDomain(db, dialect);
      const editions = store.db.selectFrom('editions').select(['slot', 'message_id_domain']);
      expect(await editions.execute()).toEqual([{ slot: '2026-11-24', message_id_domain: null }]);
    } finally {
      await store.close();
    }
  },
);
