import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { createInitialSchema } from '../../../../src/core/store/migrations/0001-initial.ts';
import { addRateLimitInstants } from '../../../../src/core/store/migrations/0009-rate-limit-instants.ts';
import { acquirePermit } from '../../../../src/core/store/rate-limits.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)('keeps the rate limits of a %s store, which go on', async (dialect) => {
  const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
  const store = await openStore({ databaseUrl, path: ':memory:' });
  try {
    const db = store.db as unknown as Kysely<unknown>;
    await createInitialSchema(db, dialect);
    await sql`insert into rate_limits (key, next_at) values ('k', 5000.5)`.execute(db);
    await addRateLimitInstants(db, dialect);
    const limit = { everyMs: 1_000, burst: 1 };
    expect(await acquirePermit(store.db, 'k', limit, 5_000)).toEqual({ kind: 'refused', retryAt: 5_001 });
    expect(await acquirePermit(store.db, 'k', limit, 5_001)).toEqual({ kind: 'granted' });
    expect(await store.db.selectFrom('rate_limits').selectAll().execute()).toEqual([
      { key: 'k', next_at: 6_001, counted_at: 5_001 },
    ]);
  } finally {
    await store.close();
  }
});
