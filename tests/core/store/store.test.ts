import { sql } from 'kysely';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DELIVERY_HELD, readMeta, writeMeta } from '../../../src/core/store/meta.ts';
import { type Db, inTransaction, openStore, readTogether, StoreError } from '../../../src/core/store/store.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases, newPostgresUrl, openSqliteFile } from '../../support/databases.ts';

describe('a store on PostgreSQL', () => {
  it('survives a connection that the server closes during a transaction', async () => {
    const store = await openStore({ databaseUrl: await newPostgresUrl(), path: '' });
    const broken = store.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(store.db);
      // Between two statements nothing awaits the connection, whose end must not be an unhandled error.
      const isOpen = async () => {
        const found = await sql`select 1 from pg_stat_activity where pid = ${rows[0]?.pid}`.execute(store.db);
        return found.rows.length > 0;
      };
      await expect.poll(isOpen).toBe(false);
      await sql`select 1`.execute(tx);
    });
    // The operating system may tell of the end first.
    await expect(broken).rejects.toThrow(/connection|ECONNRESET/i);
    const { rows } = await sql<{ two: number }>`select 2 as two`.execute(store.db);
    expect(rows).toEqual([{ two: 2 }]);
    await store.close();
  });

  it('keeps its connections for the next page for five minutes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const url = await newPostgresUrl();
    const store = await openStore({ databaseUrl: url, path: '' });
    onTestFinished(() => store.close());
    const processOf = async (db: Db): Promise<number | undefined> => {
      return (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid;
    };
    const twoAtOnce = () =>
      store.db.connection().execute(async (one) => [await processOf(one), await processOf(store.db)].sort());
    const processes = await twoAtOnce();
    expect(new Set(processes).size).toBe(2);
    vi.advanceTimersByTime(4 * MINUTE);
    expect(await twoAtOnce()).toEqual(processes);
    vi.advanceTimersByTime(6 * MINUTE);
    expect(await processOf(store.db)).not.toBeOneOf(processes);
  });

  it('closes the connection that it was opened with, also if nothing was read', async () => {
    const url = await newPostgresUrl();
    const observer = await openStore({ databaseUrl: url, path: '' });
    const connections = async () => {
      // Without the server's own processes, such as autovacuum, and without the watch, which opens a second later.
      const found = await sql`select pid from pg_stat_activity
        where datname = current_database() and application_name = 'daywire'`.execute(observer.db);
      return found.rows.length;
    };
    expect(await connections()).toBe(1);
    const store = await openStore({ databaseUrl: url, path: '' });
    expect(await connections()).toBe(2);
    await store.close();
    await expect.poll(connections).toBe(1);
    await observer.close();
  });

  it('limits the time of a statement and of an idle transaction, unless its URL says otherwise', async () => {
    const url = await newPostgresUrl();
    const limits = async (databaseUrl: string): Promise<string[]> => {
      const store = await openStore({ databaseUrl, path: '' });
      onTestFinished(() => store.close());
      const { rows } = await sql<Record<string, string>>`select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as idle`.execute(store.db);
      return Object.values(rows[0] ?? {});
    };
    expect(await limits(url)).toEqual(['30min', '5min']);
    expect(await limits(`${url}?statement_timeout=90000`)).toEqual(['90s', '5min']);
  });

  it('is named without its password when it cannot be reached', async () => {
    const opening = openStore({ databaseUrl: 'postgres://reader:hunter2@127.0.0.1:1/wire', path: '' });
    await expect(opening).rejects.toThrow(StoreError);
    await expect(opening).rejects.toThrow(/^cannot reach the database at postgres:\/\/127\.0\.0\.1:1\/wire: /);
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });
});

const DEADLOCK = Object.assign(new Error('deadlock detected'), { code: '40P01' });

it.for(['sqlite', 'postgres'])('reads several things as of one moment on %s, while others write', async (dialect) => {
  const store =
    dialect === 'sqlite'
      ? (await openSqliteFile()).store
      : await openStore({ databaseUrl: await newPostgresUrl(), path: '' });
  if (dialect === 'postgres') onTestFinished(() => store.close());
  const seen = await readTogether(store, async (tx) => {
    const before = await readMeta(tx, DELIVERY_HELD);
    await writeMeta(store.db, DELIVERY_HELD, 'later');
    return [before, await readMeta(tx, DELIVERY_HELD)];
  });
  expect(seen).toEqual([undefined, undefined]);
  expect(await readMeta(store.db, DELIVERY_HELD)).toBe('later');
});

describe('inTransaction', () => {
  forBothDatabases((open) => {
    it('retries the whole transaction after a deadlock', async () => {
      const { db } = await open();
      let attempts = 0;
      const result = await inTransaction(db, async (tx) => {
        attempts += 1;
        await tx
          .insertInto('meta')
          .values({ key: `attempt ${attempts}`, value: '' })
          .execute();
        if (attempts < 3) throw DEADLOCK;
        return 'done';
      });
      expect(result).toBe('done');
      const rows = await db.selectFrom('meta').select('key').where('key', 'like', 'attempt %').execute();
      expect(rows).toEqual([{ key: 'attempt 3' }]);
    });

    it('does not retry after other errors, or after a third deadlock', async () => {
      const { db } = await open();
      let attempts = 0;
      const fail = (error: Error) =>
        inTransaction(db, async () => {
          attempts += 1;
          throw error;
        });
      await expect(fail(new Error('disk full'))).rejects.toThrow('disk full');
      expect(attempts).toBe(1);
      await expect(fail(DEADLOCK)).rejects.toThrow('deadlock');
      expect(attempts).toBe(4);
    });

    it('joins an open transaction, and is rolled back with it', async () => {
      const { db } = await open();
      const outer = inTransaction(db, async (tx) => {
        await inTransaction(tx, (inner) => inner.insertInto('meta').values({ key: 'inner', value: '' }).execute());
        throw new Error('rolled back');
      });
      await expect(outer).rejects.toThrow('rolled back');
      expect(await db.selectFrom('meta').selectAll().where('key', '=', 'inner').execute()).toEqual([]);
    });
  });
});
