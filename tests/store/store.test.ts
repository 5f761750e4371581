import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { openStore, StoreError } from '../../src/store/store.ts';
import { newPostgresUrl } from '../support/databases.ts';

describe('a store on PostgreSQL', () => {
  it('outlives a connection that the server ends in the middle of a transaction', async () => {
    const store = await openStore({ databaseUrl: await newPostgresUrl(), path: '' });
    const broken = store.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(store.db);
      // Between two statements nobody waits for the connection: its end must not be an error that nobody catches.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await sql`select 1`.execute(tx);
    });
    await expect(broken).rejects.toThrow(/connection/);
    const { rows } = await sql<{ two: number }>`select 2 as two`.execute(store.db);
    expect(rows).toEqual([{ two: 2 }]);
    await store.close();
  });

  it('that cannot be reached is named without its password', async () => {
    const opening = openStore({ databaseUrl: 'postgres://reader:hunter2@127.0.0.1:1/wire', path: '' });
    await expect(opening).rejects.toThrow(StoreError);
    await expect(opening).rejects.toThrow(/^cannot reach the database at postgres:\/\/127\.0\.0\.1:1\/wire: /);
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });
});
