import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { removeDeletedText } from '../../../src/core/store/deleted-text.ts';
import { LOCK_TIMEOUT } from '../../../src/core/store/sqlite.ts';
import { SqliteThread } from '../../../src/core/store/sqlite-thread.ts';
import { openStore, type Store, StoreError } from '../../../src/core/store/store.ts';
import { SECOND } from '../../../src/lib/time.ts';
import { isInstalled, PYTHON } from '../../feed-readers/programs.ts';
import { openSqliteFile } from '../../support/databases.ts';

const MIB = 1024 * 1024;

const open = async (): Promise<Store> => (await openSqliteFile()).store;

function put(db: Store['db'], key: string, value = 'v') {
  return db.insertInto('meta').values({ key, value }).execute();
}

async function keys(db: Store['db']): Promise<string[]> {
  return (await db.selectFrom('meta').select('key').orderBy('key').execute()).map((row) => row.key);
}

function insertRows(db: Store['db'], count: number, prefix = 'k') {
  return sql`insert into meta (key, value)
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ${count})
    select ${prefix} || i, 'some value that is not short ' || i from n`.execute(db);
}

describe('an SQLite file', () => {
  it('reads what was committed before, by a statement or a transaction', async () => {
    const { db, reports } = await open();
    await put(db, 'a');
    expect(await keys(db)).toEqual(['a']);
    await db.transaction().execute(async (tx) => {
      await put(tx, 'b');
      expect(await keys(tx)).toEqual(['a', 'b']);
      // Outside of the transaction nothing of it is read before it commits, and no read waits for it.
      expect(await keys(db)).toEqual(['a']);
      expect((await sql`with m as (select key from meta) select key from m`.execute(db)).rows).toEqual([{ key: 'a' }]);
    });
    expect(await keys(db)).toEqual(['a', 'b']);
    expect(await keys(reports)).toEqual(['a', 'b']);
  });

  it('knows that another program locks it, and lets nobody wait that has waited long enough', async () => {
    const { location, faults } = await open();
    const thread = new SqliteThread(location, 'write', faults);
    onTestFinished(() => thread.close());
    const other = new DatabaseSync(location);
    other.exec('begin immediate');
    const began = performance.now() - LOCK_TIMEOUT;
    faults.lockedSince = began;
    for (let n = 0; n < 20; n++) {
      await expect(thread.run('begin', [], began)).rejects.toMatchObject({
        message: `${location}: database is locked`,
        errcode: 5,
      });
    }
    // A fault of the disk is another alert.
    expect(faults).toEqual({ last: null, lockedSince: began, isSilent: false });
    other.close();
    await thread.run('begin', [], began);
    expect(faults.lockedSince).toBeNull();
    await thread.run('rollback', []);
  });

  it.runIf(isInstalled('python3', PYTHON, ['-c', 'import sqlite3']))(
    'keeps its log when another program has read the file and closes it',
    async () => {
      const { location } = await open();
      const store = await openStore({ path: location });
      onTestFinished(() => store.close());
      const { db } = store;
      // SQLite before 3.51 deletes the log when it closes a file on which nobody else has a lock.
      const script = `import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
print(*(key for (key,) in database.execute("select key from meta order by key")))
database.close()`;
      const readElsewhere = async (): Promise<string> =>
        (await promisify(execFile)(PYTHON, ['-c', script, location])).stdout.trim();
      // The first read takes a lock. What opens the file after that, and closes it, must not release it.
      expect(await keys(db)).toEqual([]);
      await put(db, 'a');
      expect(await readElsewhere()).toBe('a');
      await removeDeletedText(db);
      expect(await readElsewhere()).toBe('a');
      await put(db, 'b');
      expect(await readElsewhere()).toBe('a b');
    },
  );

  it('names its path when the disk is full, and works again when there is room', async () => {
    const { db, location } = await open();
    await put(db, 'a');
    const limitPages = (pages: number) =>
      db.transaction().execute((tx) => sql.raw(`pragma max_page_count = ${pages}`).execute(tx));
    await limitPages(1);
    await expect(insertRows(db, 1_000)).rejects.toThrow(`${location}: database or disk is full`);
    await limitPages(1_000_000);
    await insertRows(db, 1_000);
    expect(await keys(db)).toHaveLength(1_001);
  });

  it('returns the number of changes, or the rows of a statement with RETURNING', async () => {
    const { db } = await open();
    const values = { email: 'a@example.com', email_key: 'a@example.com', created_at: 1_790_000_000_000 };
    const inserted = await db.insertInto('subscribers').values(values).executeTakeFirstOrThrow();
    expect(inserted.insertId).toBe(1n);
    const updated = await db.updateTable('subscribers').set({ zone: 'UTC' }).executeTakeFirstOrThrow();
    expect(updated.numUpdatedRows).toBe(1n);
    const returned = await db.deleteFrom('subscribers').returningAll().execute();
    expect(returned).toEqual([
      {
        id: 1,
        ...values,
        zone: 'UTC',
        held_by: null,
        paused_until: null,
        suppressed_reason: null,
        suppressed_at: null,
        token_version: 1,
      },
    ]);
  });

  it('returns the same values from the thread as without it', async () => {
    const { db, reports } = await open();
    const query = sql`select 1 as one, 9007199254740991 as large, 1.5 as real, null as none, 'é' as text,
      x'00ff' as bytes`;
    const direct = await query.execute(db);
    expect((await query.execute(reports)).rows).toEqual(direct.rows);
    expect(await db.transaction().execute(async (tx) => (await query.execute(tx)).rows)).toEqual(direct.rows);
    expect(direct.rows).toEqual([
      { one: 1, large: 9007199254740991, real: 1.5, none: null, text: 'é', bytes: new Uint8Array([0, 255]) },
    ]);
    const bytes = new Uint8Array([1, 2]);
    const { rows } = await db.transaction().execute((tx) => sql`select ${bytes} as b, ${12n} as n`.execute(tx));
    expect(rows).toEqual([{ b: bytes, n: 12 }]);
  });

  it('cannot be written outside of the thread', async () => {
    const { db, reports, location } = await open();
    await expect(put(reports, 'a')).rejects.toMatchObject({
      message: `${location}: attempt to write a readonly database`,
      errcode: 8,
    });
    // A WITH that writes runs in the thread.
    await sql`with v (k) as (values ('w'), ('x'), ('y')) insert into meta (key, value) select k, '' from v`.execute(db);
    await sql`with v (k) as (values ('x')) UPDATE meta set value = 'u' where key in (select k from v)`.execute(db);
    await sql`with v (k) as (values ('y')) delete from meta where key in (select k from v)`.execute(db);
    expect((await sql`with m as (select * from meta) select * from m order by key`.execute(db)).rows).toEqual([
      { key: 'w', value: '' },
      { key: 'x', value: 'u' },
    ]);
  });

  it('runs writes and transactions in order, one at a time', async () => {
    const { db } = await open();
    const done: number[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        if (i % 2 === 0) await put(db, `k${i}`);
        else {
          await db.transaction().execute(async (tx) => {
            const { n } = await tx
              .selectFrom('meta')
              .select((eb) => eb.fn.countAll<number>().as('n'))
              .executeTakeFirstOrThrow();
            await new Promise((resolve) => setImmediate(resolve));
            await put(tx, `k${i}`, String(n));
          });
        }
        done.push(i);
      }),
    );
    expect(done).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const rows = await db.selectFrom('meta').selectAll().where('value', '!=', 'v').execute();
    expect(rows.length).toBe(20);
    // Each transaction counted exactly the earlier writes.
    for (const { key, value } of rows) expect(key).toBe(`k${value}`);
  });

  it('rolls a failed transaction back, and goes on with what waited', async () => {
    const { db } = await open();
    const failing = db.transaction().execute(async (tx) => {
      await put(tx, 'a');
      throw new Error('changed my mind');
    });
    const next = put(db, 'b');
    await expect(failing).rejects.toThrow('changed my mind');
    await next;
    expect(await keys(db)).toEqual(['b']);
  });

  it('throws the errors of SQLite, from inside and outside of the thread', async () => {
    const { db } = await open();
    await put(db, 'a');
    const unique = {
      message: 'UNIQUE constraint failed: meta.key',
      code: 'ERR_SQLITE_ERROR',
      errcode: 1555,
      errstr: 'constraint failed',
    };
    await expect(put(db, 'a')).rejects.toMatchObject(unique);
    await expect(db.transaction().execute((tx) => put(tx, 'a'))).rejects.toMatchObject(unique);
    await expect(sql`select * from nowhere`.execute(db)).rejects.toThrow('no such table: nowhere');
    const unbindable = sql`delete from meta where key = ${'a'} or key = ${new Date(0)}`.execute(db);
    await expect(unbindable).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    await expect(sql`delete from meta where key = ${new WeakMap()}`.execute(db)).rejects.toThrow(/could not be cloned/);
    await put(db, 'b');
    expect(await keys(db)).toEqual(['a', 'b']);
  });

  it('checks foreign keys in the thread', async () => {
    const { db } = await open();
    const orphan = db.insertInto('article_slugs').values({ slug: 's', article_id: 'none' }).execute();
    await expect(orphan).rejects.toThrow('FOREIGN KEY constraint failed');
  });

  it('does not support streaming', async () => {
    const { db } = await open();
    const reading = (async () => {
      for await (const _ of db.selectFrom('meta').selectAll().stream());
    })();
    await expect(reading).rejects.toThrow(/page by page/);
  });

  it('does not block reads or the event loop while 300,000 rows are written', async () => {
    const { db, reports } = await open();
    let writing = true;
    let answered = 0;
    const write = db
      .transaction()
      .execute((tx) => insertRows(tx, 300_000))
      .finally(() => {
        writing = false;
      });
    while (writing) {
      await db.selectFrom('meta').selectAll().where('key', '=', 'k1').execute();
      answered += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await write;
    const { n } = await reports
      .selectFrom('meta')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    expect(n).toBe(300_000);
    // Each needs a turn of the event loop. Had it been blocked, one would have been answered.
    expect(answered).toBeGreaterThan(10);
  });

  it('keeps its log small after a large transaction, also with concurrent reads', async () => {
    const { db, location } = await open();
    await insertRows(db, 300_000);
    const large = (await stat(`${location}-wal`)).size;
    expect(large).toBeGreaterThan(16 * MIB);
    await db.selectFrom('meta').selectAll().where('key', '=', 'k1').execute();
    await put(db, 'a');
    await put(db, 'b');
    expect((await stat(`${location}-wal`)).size).toBeLessThanOrEqual(16 * MIB);
  });

  it('completes earlier requests before it closes, and leaves no log', async () => {
    const { db, location, close } = await open();
    const work = [
      put(db, 'a'),
      db.transaction().execute(async (tx) => {
        await put(tx, 'b');
        await put(tx, 'c');
      }),
      insertRows(db, 10_000),
    ];
    await close();
    await Promise.all(work);
    await expect(put(db, 'late')).rejects.toThrow(/destroyed/);
    await close();
    expect(existsSync(`${location}-wal`)).toBe(false);
    const file = new DatabaseSync(location);
    expect(file.prepare('select count(*) as n from meta').get()).toEqual({ n: 10_003 });
    file.close();
  });

  it('waits while another process writes', async () => {
    const { db, location } = await open();
    const other = new DatabaseSync(location);
    other.exec("begin immediate; insert into meta values ('theirs', '')");
    let isDone = false;
    const write = db
      .transaction()
      .execute((tx) => put(tx, 'ours'))
      .then(() => {
        isDone = true;
      });
    // Reads do not wait.
    for (let i = 0; i < 100; i++) expect(await keys(db)).toEqual([]);
    expect(isDone).toBe(false);
    other.exec('commit');
    other.close();
    await write;
    expect(await keys(db)).toEqual(['ours', 'theirs']);
  });

  it('fails pending requests when its thread ends, and writes again in a new one', async () => {
    const threads: Worker[] = [];
    const note = (worker: Worker) => threads.push(worker);
    const { db } = await open();
    // The first write starts the thread.
    process.on('worker', note);
    await put(db, 'first');
    process.off('worker', note);
    expect(threads).toHaveLength(1);
    const ended = /^the thread of the database .* ended, and its open transaction is rolled back: it was stopped$/;
    const transaction = db.transaction().execute(async (tx) => {
      await put(tx, 'undone');
      const long = insertRows(tx, 20_000);
      await threads[0]?.terminate();
      await expect(long).rejects.toThrow(ended);
      await put(tx, 'never');
    });
    const waiting = put(db, 'after');
    await expect(transaction).rejects.toThrow(ended);
    await waiting;
    expect(await keys(db)).toEqual(['after', 'first']);
  });

  it('reads reports in a thread that ends 30 seconds after the last one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const threads: Worker[] = [];
    const note = (worker: Worker) => threads.push(worker);
    process.on('worker', note);
    onTestFinished(() => void process.off('worker', note));
    const { db, reports } = await open();
    await put(db, 'one');
    expect(await keys(reports)).toEqual(['one']);
    vi.advanceTimersByTime(29 * SECOND);
    expect(await keys(reports)).toEqual(['one']);
    const [writer, reader] = threads;
    const ended = once(reader!, 'exit');
    vi.advanceTimersByTime(30 * SECOND);
    await ended;
    expect(writer!.threadId).toBeGreaterThan(0);
    await put(db, 'two');
    expect(await keys(reports)).toEqual(['one', 'two']);
    expect(threads).toHaveLength(3);
  });

  it('is refused with its path when it is not a database or cannot be created', async () => {
    const noDatabase = fileURLToPath(import.meta.url);
    await expect(openStore({ path: noDatabase })).rejects.toThrow(StoreError);
    await expect(openStore({ path: noDatabase })).rejects.toThrow(`${noDatabase}: file is not a database`);
    await expect(openStore({ path: `${noDatabase}/x.sqlite` })).rejects.toThrow(`${noDatabase}/x.sqlite: `);
  });
});

describe('a process with an SQLite file', () => {
  const source = new URL('../../../src/core/store/store.ts', import.meta.url).href;

  function script(location: string, body: string): string[] {
    const opening = `const { openStore } = await import(${JSON.stringify(source)});
      const store = await openStore({ path: ${JSON.stringify(location)} });
      const put = (key) => store.db.insertInto('meta').values({ key, value: '' }).execute();`;
    return ['--input-type=module', '-e', opening + body];
  }

  it('ends by itself when it has nothing to do, closed or not', async () => {
    const { db, location } = await open();
    await promisify(execFile)(process.execPath, script(location, "await put('a');"), { timeout: 10_000 });
    await promisify(execFile)(process.execPath, script(location, "await put('b'); await store.close();"), {
      timeout: 10_000,
    });
    expect(await keys(db)).toEqual(['a', 'b']);
  });

  it('leaves a sound file without uncommitted rows when it exits or is killed while it writes', async () => {
    const { db, location } = await open();
    const writing = `await put('before');
      store.db.transaction().execute(async (tx) => {
        for (let i = 0; ; i++) {
          await tx.insertInto('meta').values({ key: String(i), value: 'x'.repeat(1000) }).execute();
          if (i === 3000) console.log('writing');
        }
      });`;
    const exiting = spawn(
      process.execPath,
      script(location, writing.replace("console.log('writing')", 'process.exit(0)')),
    );
    await once(exiting, 'exit');
    const killed = spawn(process.execPath, script(location, writing.replace("await put('before');", '')));
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect((await sql`pragma integrity_check`.execute(db)).rows).toEqual([{ integrity_check: 'ok' }]);
    expect(await keys(db)).toEqual(['before']);
  });
});
