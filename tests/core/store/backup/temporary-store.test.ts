import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import {
  isStoreTrouble,
  withTemporaryDatabase,
  withTemporaryFile,
} from '../../../../src/core/store/backup/temporary-store.ts';
import { openStore, StoreError } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const store = await openStore({ databaseUrl: url, path: '' });
  try {
    return (await sql.raw<Row>(text).execute(store.db)).rows;
  } finally {
    await store.close();
  }
}

async function rehearsalDatabases(url: string): Promise<string[]> {
  const [own] = await query<{ oid: number }>(
    url,
    'select oid::bigint as oid from pg_database where datname = current_database()',
  );
  const all = await query<{ datname: string }>(url, 'select datname from pg_database');
  return all.map(({ datname }) => datname).filter((name) => name.startsWith(`daywire_rehearsal_${own?.oid}_`));
}

describe('a temporary SQLite store', () => {
  it('is in a folder that only its user can read, and is deleted with it', async () => {
    const parent = join(temporaryFolder(), 'var');
    const location = await withTemporaryFile(parent, 1, async (store) => {
      const [name = ''] = readdirSync(parent);
      expect(statSync(join(parent, name)).mode & 0o777).toBe(0o700);
      return store.location;
    });
    expect(location.startsWith(parent)).toBe(true);
    expect(readdirSync(parent)).toEqual([]);
  });

  it('is deleted after an error', async () => {
    const parent = temporaryFolder();
    const failing = withTemporaryFile(parent, 1, () => Promise.reject(new Error('no room')));
    await expect(failing).rejects.toThrow('no room');
    expect(readdirSync(parent)).toEqual([]);
  });

  it('is not created without room for the file and its log, beside a live store', async () => {
    const parent = temporaryFolder();
    const withFreeSpace = (free: number) =>
      withTemporaryFile(
        parent,
        10 * 2 ** 20,
        async () => 'done',
        async () => free,
      );
    await expect(withFreeSpace(22 * 2 ** 20 - 1)).rejects.toThrow(
      new StoreError(
        `a temporary store needs 22 MB of free disk space in ${parent}, which has 21 MB: nothing was tried`,
      ),
    );
    expect(await withFreeSpace(22 * 2 ** 20)).toBe('done');
  });

  it('that is full is told apart from rows that it refuses', async () => {
    const failure = await withTemporaryFile(temporaryFolder(), 1, async ({ db }) => {
      await sql`create table t (x text unique)`.execute(db);
      await sql`pragma max_page_count = 10`.execute(db);
      const refused = await sql`insert into t values ('a'), ('a')`.execute(db).catch((error: unknown) => error);
      expect(isStoreTrouble(refused)).toBe(false);
      return sql`insert into t values (hex(zeroblob(100000)))`.execute(db).catch((error: unknown) => error);
    });
    expect(failure).toMatchObject({ message: expect.stringMatching(/database or disk is full/) });
    expect(isStoreTrouble(failure)).toBe(true);
  });

  it('that a killed process left is deleted by the next one, and that of a running process is not', async () => {
    const parent = temporaryFolder();
    for (const name of ['rehearsal-left', 'rehearsal-live', 'other']) {
      mkdirSync(join(parent, name));
      writeFileSync(join(parent, name, 'daywire.db'), 'text');
    }
    // As a process that runs holds it.
    const lock = new DatabaseSync(join(parent, 'rehearsal-live/lock'));
    lock.exec('begin exclusive');
    await withTemporaryFile(parent, 1, async () => {
      const names = readdirSync(parent);
      expect(names).not.toContain('rehearsal-left');
      expect(names).toContain('rehearsal-live');
      expect(names).toHaveLength(3);
    });
    lock.close();
    await withTemporaryFile(parent, 1, async () => {});
    expect(readdirSync(parent)).toEqual(['other']);
  });
});

describe('a temporary PostgreSQL store', () => {
  it('is a database of its own in UTF8, and is deleted, also after an error', async () => {
    const url = await newPostgresUrl('empty');
    const done = await withTemporaryDatabase(url, async ({ db, location }) => {
      expect(await rehearsalDatabases(url)).toHaveLength(1);
      // Of the server's own language it needs nothing.
      const { rows } = await sql`select pg_encoding_to_char(encoding) as encoding, datcollate as collation
        from pg_database where datname = current_database()`.execute(db);
      expect(rows).toEqual([{ encoding: 'UTF8', collation: 'C' }]);
      return location;
    });
    expect(done).toEqual({ kind: 'done', value: expect.stringMatching(/\/daywire_rehearsal_\d+_[0-9a-f]{16}$/) });
    const failing = withTemporaryDatabase(url, () => Promise.reject(new Error('no room')));
    await expect(failing).rejects.toThrow('no room');
    expect(await rehearsalDatabases(url)).toEqual([]);
  });

  it('that a killed process left is deleted by the next one, and that of a running process is not', async () => {
    const url = await newPostgresUrl('empty');
    await withTemporaryDatabase(url, async () => {
      const [running = ''] = await rehearsalDatabases(url);
      const left = `${running.slice(0, -1)}g`;
      await query(url, `create database ${left}`);
      await withTemporaryDatabase(url, async () => {
        const names = await rehearsalDatabases(url);
        expect(names).toHaveLength(2);
        expect(names).toContain(running);
        expect(names).not.toContain(left);
      });
    });
  });

  it('that has no disk space or ends its connections is told apart from rows that it refuses', async () => {
    const url = await newPostgresUrl('empty');
    const failing = (state: string) =>
      query(url, `do $$ begin raise exception 'x' using errcode = '${state}'; end $$`).catch((error: unknown) => error);
    for (const state of ['53100', '57P01', '08006']) expect(isStoreTrouble(await failing(state)), state).toBe(true);
    for (const state of ['23503', '22P02', '42703']) expect(isStoreTrouble(await failing(state)), state).toBe(false);
  });

  it('is refused to a role that may not create databases', async () => {
    const url = new URL(await newPostgresUrl('empty'));
    const role = `plain${url.pathname.slice(1, 12)}`;
    await query(url.href, `create role ${role} login password 'x'`);
    const limited = Object.assign(new URL(url), { username: role, password: 'x' }).href;
    const refused = await withTemporaryDatabase(limited, () => Promise.reject(new Error('it was created')));
    await query(url.href, `drop role ${role}`);
    expect(refused).toEqual({ kind: 'refused', reason: 'permission denied to create database' });
  });
});
