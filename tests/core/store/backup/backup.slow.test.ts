import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { backupStore, restoreStore } from '../../../../src/core/store/backup/backup.ts';
import { sortByReference } from '../../../../src/core/store/backup/copy-tables.ts';
import { readMeta, writeMeta } from '../../../../src/core/store/meta.ts';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { openStore, type Store, StoreError } from '../../../../src/core/store/store.ts';
import { forBothDatabases, newPostgresUrl, openMigrated, openSqliteFile } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);
const HELD = 'restored from a backup of 2026-11-24T07:30:00.000Z';

let folder: string;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder, 'backup.sqlite');
});

function subscriber(name: string) {
  return { email: `${name}@example.com`, email_key: `${name}@example.com`, created_at: NOW };
}

/** Adds rows that reference each other, texts that are hard to quote, and a deleted last subscriber. */
async function fill({ db }: Store): Promise<void> {
  const article = {
    id: 'a"1',
    tag_uri: 'tag:example.com,2026:1',
    slug: "it's",
    kind: 'brief',
    section: null,
    kicker: '\\ [1, {"a": null}] \u2028 é 🗞',
    event_key: '',
    pinned: 0,
    state: 'published',
    published_at: 9_007_199_254_740_991,
    updated_at: -1,
    noted_at: null,
    created_at: NOW,
    digest: '123',
    document: Uint8Array.from({ length: 256 }, (_, byte) => byte),
    json_bytes: 300,
  };
  await db.insertInto('articles').values(article).execute();
  const other = { id: 'b', tag_uri: 'tag:example.com,2026:b', slug: 'b' };
  await db
    .insertInto('articles')
    .values({ ...article, ...other })
    .execute();
  await db.insertInto('article_slugs').values({ slug: 'old', article_id: article.id }).execute();
  await db.insertInto('meta').values({ key: 'since', value: '0012' }).execute();
  for (const name of ['ann', 'bob', 'cid', 'dan'])
    await db.insertInto('subscribers').values(subscriber(name)).execute();
  await db.deleteFrom('subscribers').where('email_key', 'in', ['bob@example.com', 'dan@example.com']).execute();
  const consent = { newsletter: 'daily', change: 'confirmed', channel: 'form', source: null, detail: null } as const;
  await db
    .insertInto('consent_events')
    .values({ ...consent, subscriber_id: 3, at: NOW })
    .execute();
}

/** Adds an account with a session, an open and a used invitation, and an entry of the audit log. */
async function addAccount({ db }: Store): Promise<void> {
  const account = { email: 'mei@example.com', email_key: 'mei@example.com', name: 'Mei', name_key: 'mei' };
  await db
    .insertInto('accounts')
    .values({ ...account, password: 'hash', roles: '["admin"]', created_at: NOW, disabled_at: null })
    .execute();
  const session = { token_hash: 'a', account_id: 1, created_at: NOW, seen_at: NOW };
  await db.insertInto('account_sessions').values(session).execute();
  for (const used_at of [null, NOW]) {
    const invitation = { token_hash: `of ${used_at}`, account_id: null, roles: '["editor"]', invited_by: 'Mei' };
    const rest = { email: 'ivo@example.com', email_key: 'ivo@example.com', created_at: NOW, expires_at: NOW + 1 };
    await db
      .insertInto('account_invitations')
      .values({ ...invitation, ...rest, used_at })
      .execute();
  }
  const entry = { at: NOW, account_id: 1, actor: 'Mei', act: 'account.sign-in', subject: 'account/1', detail: '{}' };
  await db.insertInto('audit_log').values(entry).execute();
}

/** Adds a subscriber. @returns its number */
async function nextSubscriber({ db }: Store): Promise<number> {
  const { id } = await db.insertInto('subscribers').values(subscriber('eve')).returning('id').executeTakeFirstOrThrow();
  return id;
}

async function contents({ db }: Store): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { name } of await db.introspection.getTables()) {
    // Each database has its own index of words, which is built again.
    if (/^(?:article_terms|indexed_articles)/.test(name)) continue;
    const without = name === 'meta' ? sql`where key <> 'search.indexed-to'` : sql``;
    const { rows } = await sql`select * from ${sql.table(name)} ${without}`.execute(db);
    // The databases return different kinds of byte arrays.
    const plain = (value: unknown) => (value instanceof Uint8Array ? [...value] : value);
    found[name] = rows
      .map((row) => Object.entries(row as object).map(([column, value]) => [column, plain(value)]))
      .map((entries) => JSON.stringify(Object.fromEntries(entries)))
      .sort();
  }
  return found;
}

describe('a backup', () => {
  forBothDatabases((open, dialect) => {
    it('has the same rows and ids when it is restored on either database, and submits nothing', async () => {
      const store = await open();
      await fill(store);
      const rows = await backupStore(store, file, NOW);
      expect(await readdir(folder)).toEqual(['backup.sqlite']);
      const original = await readFile(file);

      const targets = [await openMigrated(), await openStore({ databaseUrl: await newPostgresUrl(), path: '' })];
      await writeMeta(store.db, 'delivery.held', HELD);
      for (const target of targets) {
        expect(await restoreStore(file, target, NOW + 5)).toBe(rows);
        expect(await contents(target)).toEqual(await contents(store));
        expect(await nextSubscriber(target)).toBe(NOW + 6);
        await target.close();
      }
      expect((await readFile(file)).equals(original)).toBe(true);
      expect(await readdir(folder)).toEqual(['backup.sqlite']);
    });

    it('also holds the queue of a store that uses its file, and gives no number again', async () => {
      const store = await open();
      await fill(store);
      await backupStore(store, file, NOW);
      const path = join(folder, 'daywire.sqlite');
      await copyFile(file, path);
      const copy = await openStore({ path });
      expect(await readMeta(copy.db, 'delivery.held')).toBe(HELD);
      expect(await readMeta(store.db, 'delivery.held')).toBeUndefined();
      // The store itself goes on: number 4 was the id of a deleted subscriber.
      expect([await nextSubscriber(copy), await nextSubscriber(store)]).toEqual([NOW + 1, 5]);
      await copy.close();
    });

    it('has accounts and their audit log, but no session and no invitation that would work again', async () => {
      const store = await open();
      await addAccount(store);
      const { accounts, audit_log, account_invitations } = await contents(store);
      await backupStore(store, file, NOW);
      const used = account_invitations?.filter((row) => !row.includes('"used_at":null'));
      const expected = { accounts, audit_log, account_sessions: [], account_invitations: used };
      expect(used).toHaveLength(1);
      for (const target of [await openMigrated(), await openStore({ databaseUrl: await newPostgresUrl(), path: '' })]) {
        await restoreStore(file, target, NOW);
        expect(await contents(target)).toMatchObject(expected);
        await expect(sql`delete from audit_log`.execute(target.db)).rejects.toThrow('append-only');
        await target.close();
      }
      expect(await store.db.selectFrom('account_sessions').selectAll().execute()).toHaveLength(1);
    });

    it('does not overwrite a file', async () => {
      const store = await open();
      await writeFile(file, 'precious');
      await expect(backupStore(store, file, NOW)).rejects.toThrow(`${file} exists already`);
      expect(await readFile(file, 'utf8')).toBe('precious');
    });

    it('leaves no file when it fails', async () => {
      const store = await open();
      await sql`drop table meta`.execute(store.db);
      await expect(backupStore(store, file, NOW)).rejects.toThrow(/meta/);
      expect(await readdir(folder)).toEqual([]);
    });

    it('is restored only into an empty store', async () => {
      const store = await open();
      await fill(store);
      await backupStore(store, file, NOW);
      const before = await contents(store);
      const restoring = restoreStore(file, store, NOW);
      await expect(restoring).rejects.toThrow(StoreError);
      await expect(restoring).rejects.toThrow(/is not empty \(\w+ has rows\)/);
      expect(await contents(store)).toEqual(before);
    });

    it('is not restored in part when the restore fails', async () => {
      const store = await open();
      await fill(store);
      await backupStore(store, file, NOW);
      const target = await open();
      await sql`drop table suppressions`.execute(target.db);
      await expect(restoreStore(file, target, NOW)).rejects.toThrow(/suppressions/);
      expect(await target.db.selectFrom('articles').selectAll().execute()).toEqual([]);
    });

    it('reports its progress for long and short rows', async () => {
      const store = await open();
      for (let i = 0; i < 20; i++) {
        const document = {
          path: `${i}`,
          media_type: 'text/html',
          hash: '',
          size: 0,
          brotli: new Uint8Array(),
          modified_at: i,
        };
        await store.db
          .insertInto('documents')
          .values({ ...document, gzip: Buffer.alloc(i % 2 === 0 ? 300_000 : 10, 'x') })
          .execute();
      }
      await sql`insert into rate_limits (key, next_at)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 6000)
        select ${dialect === 'sqlite' ? sql`'k' || i` : sql`'k' || i::text`}, i from n`.execute(store.db);
      const backedUp: number[] = [];
      const rows = await backupStore(store, file, NOW, { onProgress: (n) => backedUp.push(n) });
      const restored: number[] = [];
      const target = await open();
      await restoreStore(file, target, NOW, { onProgress: (n) => restored.push(n) });
      // The backup of PostgreSQL notes that its index of words must be built.
      const expected = dialect === 'sqlite' ? 6_021 : 6_022;
      expect(rows).toBe(expected);
      for (const reports of [backedUp, restored]) {
        expect(reports.length).toBeGreaterThan(5);
        expect(reports.toSorted((a, b) => a - b)).toEqual(reports);
      }
      expect(restored.at(-1)).toBe(expected);
      const bodies = await target.db.selectFrom('documents').select('gzip').where('path', '=', '18').execute();
      expect(bodies.map(({ gzip }) => Buffer.from(gzip).toString())).toEqual(['x'.repeat(300_000)]);
    });

    it('is not restored from another schema, which the error names', async () => {
      const store = await open();
      await backupStore(store, file, NOW);
      const other = await openStore({ path: file });
      await sql`insert into kysely_migration (name, timestamp) values ('0999-future', '2030')`.execute(other.db);
      await other.close();
      const target = await open();
      await expect(restoreStore(file, target, NOW)).rejects.toThrow(/backup.sqlite has had 0999-future/);
    });

    it('is not restored by a version with another migration, and the error says what to do', async () => {
      const store = await open();
      await backupStore(store, file, NOW);
      const target = await open();
      MIGRATIONS['9999-synthetic'] = async () => {};
      try {
        const advice = /lacks 9999-synthetic: .* with the daywire that created it, then run "daywire migrate"$/;
        await expect(restoreStore(file, target, NOW)).rejects.toThrow(advice);
        // A copy of SQLite has the schema of its store.
        if (dialect === 'postgres') await expect(backupStore(store, `${file}.new`, NOW)).rejects.toThrow(advice);
      } finally {
        delete MIGRATIONS['9999-synthetic'];
      }
    });
  });

  it.each(['sqlite', 'postgres'])('is a snapshot of a %s store while others write', async (dialect) => {
    const sqlite = dialect === 'sqlite' ? await openSqliteFile() : undefined;
    const store = sqlite?.store ?? (await openStore({ databaseUrl: await newPostgresUrl(), path: '' }));
    // Each transaction writes one row to both tables: a torn copy would hold more of one than of the other.
    let isStopped = false;
    let written = 0;
    const writing = (async () => {
      while (!isStopped) {
        await store.db.transaction().execute(async (tx) => {
          await tx
            .insertInto('rate_limits')
            .values({ key: `${written}`, next_at: 1 })
            .execute();
          await tx
            .insertInto('alerts')
            .values({
              key: `${written}`,
              kind: 'x',
              subject: '{}',
              actions: '[]',
              message: 'x'.repeat(500),
              first_at: 1,
              last_at: 1,
              count: 1,
            })
            .execute();
        });
        written += 1;
      }
    })();
    await expect.poll(() => written).toBeGreaterThan(100);
    const before = written;
    await backupStore(store, file, NOW);
    isStopped = true;
    await writing;
    const copy = await openMigrated();
    await restoreStore(file, copy, NOW);
    const rates = (await copy.db.selectFrom('rate_limits').select('key').execute()).length;
    const alerts = (await copy.db.selectFrom('alerts').select('key').execute()).length;
    expect(rates).toBeGreaterThanOrEqual(before);
    expect(alerts).toBe(rates);
    await copy.close();
    await (sqlite?.remove() ?? store.close());
  });

  it('is refused with its path when it is missing, damaged or another file', async () => {
    const { store } = await openSqliteFile();
    await expect(restoreStore(file, store, NOW)).rejects.toThrow(`there is no file ${file}`);
    expect(existsSync(file)).toBe(false);
    await writeFile(
      file,
      'not an SQLite database, but longer than the header of one, which has a hundred bytes: '.padEnd(120),
    );
    await expect(restoreStore(file, store, NOW)).rejects.toThrow(`${file} cannot be read: file is not a database`);
    await rm(file);
    await fill(store);
    await backupStore(store, file, NOW);
    await truncate(file, 40_960);
    await expect(restoreStore(file, store, NOW)).rejects.toThrow(StoreError);
    await expect(restoreStore(file, store, NOW)).rejects.toThrow(new RegExp(`${file} (is damaged|cannot be read): `));
    await writeFile(file, '');
    await expect(restoreStore(file, store, NOW)).rejects.toThrow(`${file} is not a daywire database`);
  });
});

describe('the tables', () => {
  it('are sorted by any references but cyclic ones', () => {
    // Each name references some of those before it, without a cycle. They are passed in another order.
    const graphs = fc.array(fc.array(fc.nat(19), { maxLength: 4 }), { maxLength: 20 }).chain((lists) => {
      const entries = lists.map((list, i): [string, string[]] => [
        `t${i}`,
        list.filter((n) => n < i).map((n) => `t${n}`),
      ]);
      return fc.shuffledSubarray(entries, { minLength: entries.length });
    });
    fc.assert(
      fc.property(graphs, (entries) => {
        const order = sortByReference(new Map(entries));
        expect(order.toSorted()).toEqual(entries.map(([name]) => name).toSorted());
        for (const [name, others] of entries) {
          for (const other of others) expect(order.indexOf(other)).toBeLessThan(order.indexOf(name));
        }
      }),
    );
    const cycle = new Map([
      ['a', ['b']],
      ['b', ['a']],
    ]);
    expect(() => sortByReference(cycle)).toThrow('tables reference each other: a → b → a');
  });
});
