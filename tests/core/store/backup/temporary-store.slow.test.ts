import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { withTemporaryStore } from '../../../../src/core/store/backup/temporary-store.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { DAY } from '../../../../src/lib/time.ts';
import { newPostgresUrl } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

describe('a temporary SQLite store', () => {
  const place = (parent: string, bytes = 1) => ({ databaseUrl: undefined, parent, bytes });

  it('is in a folder that only its user can read, and is deleted with it, also after an error', async () => {
    const parent = join(temporaryFolder(), 'var');
    const failing = withTemporaryStore(place(parent), async (store) => {
      const folder = dirname(store.location);
      expect(dirname(folder)).toBe(parent);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      throw new Error('the end');
    });
    await expect(failing).rejects.toThrow('the end');
    expect(readdirSync(parent)).toEqual([]);
  });

  it('deletes what a killed process has left a day ago, and leaves a store that is in use', async () => {
    const parent = temporaryFolder();
    const leftOver = join(parent, 'rehearsal-x');
    mkdirSync(leftOver);
    writeFileSync(join(leftOver, 'daywire.db'), 'text');
    utimesSync(leftOver, new Date(), new Date(Date.now() - 2 * DAY));
    await withTemporaryStore(place(parent), async ({ location }) => {
      await withTemporaryStore(place(parent), async ({ db }) => {
        await sql`create table t (x text)`.execute(db);
      });
      expect(readdirSync(parent)).toEqual([basename(dirname(location))]);
      expect(existsSync(location)).toBe(true);
    });
    expect(readdirSync(parent)).toEqual([]);
  });

  it('is not created without room for the file and its log, beside a live store', async () => {
    const parent = temporaryFolder();
    const tried = withTemporaryStore(place(parent, 8 * 2 ** 50), () => Promise.reject(new Error('it was created')));
    await expect(tried).rejects.toThrow(/needs \d+ MB of free disk space in \S+, which has \d+ MB: nothing was tried$/);
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe('a temporary PostgreSQL store', () => {
  const place = (databaseUrl: string) => ({ databaseUrl, parent: '', bytes: 1 });

  async function query<Row>(url: string, text: string): Promise<Row[]> {
    const store = await openStore({ databaseUrl: url, path: '' });
    try {
      return (await sql.raw<Row>(text).execute(store.db)).rows;
    } finally {
      await store.close();
    }
  }

  it('is a database of its own in UTF8, which is deleted, also after an error; a second one waits for it', async () => {
    const url = await newPostgresUrl('empty');
    let name = '';
    const failing = withTemporaryStore(place(url), async ({ db }) => {
      const { rows } = await sql<{ name: string }>`select current_database() as name, datcollate as collation,
        pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()`.execute(db);
      expect(rows).toEqual([
        { name: expect.stringMatching(/^daywire_rehearsal_\d+$/), encoding: 'UTF8', collation: 'C' },
      ]);
      name = rows[0]?.name ?? '';
      await expect(withTemporaryStore(place(url), async () => {})).rejects.toThrow('is being accessed by other users');
      throw new Error('the end');
    });
    await expect(failing).rejects.toThrow('the end');
    expect(await query(url, `select 1 from pg_database where datname = '${name}'`)).toEqual([]);
    // As a killed process leaves it.
    await query(url, `create database ${name}`);
    await withTemporaryStore(place(url), async () => {});
    expect(await query(url, `select 1 from pg_database where datname = '${name}'`)).toEqual([]);
  });

  it('is refused to a role that may not create databases', async () => {
    const url = new URL(await newPostgresUrl('empty'));
    const role = `plain${url.pathname.slice(1, 12)}`;
    await query(url.href, `create role ${role} login password 'x'`);
    const limited = Object.assign(new URL(url), { username: role, password: 'x' }).href;
    const refused = withTemporaryStore(place(limited), () => Promise.reject(new Error('it was created')));
    await expect(refused).rejects.toThrow(/cannot be created: permission denied to create database/);
    await query(url.href, `drop role ${role}`);
  });
});
