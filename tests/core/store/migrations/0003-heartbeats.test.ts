import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../../scripts/test-edition.ts';
import { addHeartbeats } from '../../../../src/core/store/migrations/0003-heartbeats.ts';
import { forEachDatabase } from '../../../support/databases.ts';

forEachDatabase((open, dialect) => {
  it('regards the heartbeat of editions that closed before as called, and no later one', async () => {
    const store = await open();
    const db = store.db as unknown as Kysely<unknown>;
    await queueEdition(store, 0);
    await sql`drop index editions_without_heartbeat`.execute(db);
    await sql`alter table editions drop column heartbeat_at`.execute(db);
    await addHeartbeats(db, dialect);
    await queueEdition(store, 0, { slot: '2026-11-25', number: 2, articleId: 'next' });
    const rows = await store.db.selectFrom('editions').select('heartbeat_at').orderBy('id').execute();
    expect(rows.map((row) => row.heartbeat_at)).toEqual([NOW, null]);
  });
});
