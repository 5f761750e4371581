import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { listSubscribers } from '../../../../src/audience/subscriptions.ts';
import { upgradeStore } from '../../../../src/core/store/backup/upgrade.ts';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { migrate, schemaState } from '../../../../src/core/store/schema.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import { SECOND } from '../../../../src/lib/time.ts';
import { addConfirmed, NOW } from '../../../audience/fixtures.ts';
import { editConfig, keepOneFeed, newFolder } from '../../../support/command.ts';
import { newPostgresUrl } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

afterEach(() => {
  delete MIGRATIONS['9999-synthetic'];
});

/** What a later version of daywire would bring. */
async function translations(db: Kysely<unknown>): Promise<void> {
  await sql`alter table articles add column language text not null default 'en'`.execute(db);
  await sql`create table translations (article_id text not null primary key, body text not null)`.execute(db);
  await sql`insert into translations (article_id, body) select id, slug from articles`.execute(db);
}

async function withStore<T>(env: NodeJS.ProcessEnv, folder: string, read: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ databaseUrl: env.DAYWIRE_DATABASE_URL, path: `${folder}/var/daywire.db` });
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

/** All rows of all tables, as JSON, in a fixed order. */
async function contents({ db }: Store): Promise<Record<string, string[]>> {
  const tables = await db.introspection.getTables();
  const rows = tables.map(async ({ name }) => {
    const { rows } = await sql`select * from ${sql.table(name)}`.execute(db);
    return [name, rows.map((row) => JSON.stringify(row)).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(rows));
}

describe('with "migrate: auto"', () => {
  it.each(['sqlite', 'postgres'] as const)('processes on %s that start together migrate once', async (dialect) => {
    const path = join(temporaryFolder(), 'store/daywire.db');
    const databaseUrl = dialect === 'sqlite' ? undefined : await newPostgresUrl();
    const [one, two] = await Promise.all([openStore({ databaseUrl, path }), openStore({ databaseUrl, path })]);
    await migrate(one);
    await addConfirmed(one);
    expect(await upgradeStore(one, NOW)).toBeNull();
    MIGRATIONS['9999-synthetic'] = translations;
    const done = await Promise.all([upgradeStore(one, NOW), upgradeStore(two, NOW + SECOND)]);
    const [upgrade, ...others] = done.filter((result) => result !== null);
    expect(upgrade?.migrations).toEqual(['9999-synthetic']);
    expect(others).toEqual([]);
    expect((await schemaState(two)).kind).toBe('current');
    await Promise.all([one.close(), two.close()]);

    if (dialect === 'postgres') return expect(upgrade?.backup).toBeNull();
    const files = readdirSync(dirname(path));
    expect(files.filter((file) => !/-(wal|shm)$/.test(file)).sort()).toEqual([
      'daywire.db',
      expect.stringMatching(/^daywire\.db\.before-9999-synthetic\.20261124T07300[01]\.000Z-\d+$/),
    ]);
    delete MIGRATIONS['9999-synthetic'];
    const backup = await openStore({ path: upgrade?.backup as string });
    expect((await schemaState(backup)).kind).toBe('current');
    expect(await listSubscribers(backup.db, { limit: 2 })).toHaveLength(1);
    await backup.close();
  });

  it('"daywire start" migrates, no other command does, and a failure names the backup', async () => {
    const folder = newFolder('sample');
    const env = { DAYWIRE_SECRET: 's'.repeat(32) };
    expect((await folder.run(['subscribers', 'add', 'ada@example.com'], env)).code).toBe(0);
    const once = ['start', '--once', '--role', 'deliver'];
    MIGRATIONS['9999-synthetic'] = () => Promise.reject(new Error('no space'));
    expect((await folder.run(once, env)).stderr).toMatch(/lacks 9999-synthetic: back it up/);
    editConfig(folder, 'paths:', 'migrate: auto\npaths:');
    expect((await folder.run(['status'], env)).stderr).toMatch(/lacks 9999-synthetic: back it up/);
    expect((await folder.run(once, env)).stderr).toMatch(
      /9999-synthetic failed on .*: no space\. The store before it is in .*daywire\.db\.before-9999-synthetic/,
    );
    MIGRATIONS['9999-synthetic'] = translations;
    const { code, stderr } = await folder.run(once, env);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/"migrations":\["9999-synthetic"\]/),
    });
    expect((await folder.run(['status'], env)).code).toBe(0);
  });
});

describe('a filled store', () => {
  it.each(['sqlite', 'postgres'])(
    'on %s is refused by name until "daywire migrate" has upgraded it',
    async (dialect) => {
      const secret = { DAYWIRE_SECRET: 's'.repeat(32) };
      const env = dialect === 'sqlite' ? secret : { ...secret, DAYWIRE_DATABASE_URL: await newPostgresUrl('empty') };
      const folder = newFolder('sample');
      keepOneFeed(folder);
      expect(await folder.run(['start', '--once'], env)).toMatchObject({ code: 0, stderr: '' });
      const before = await withStore(env, folder.path, contents);
      for (const table of ['articles', 'documents', 'editions', 'deliveries', 'schedules']) {
        expect(before[table]?.length, table).toBeGreaterThan(0);
      }

      MIGRATIONS['9999-synthetic'] = translations;
      const stale = await folder.run(['status'], env);
      expect(stale.code).toBe(1);
      expect(stale.stderr).toMatch(/lacks 9999-synthetic: back it up, then run "daywire migrate"/);
      expect(await withStore(env, folder.path, contents)).toEqual(before);

      expect(await folder.run(['migrate'], env)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('ran 9999-synthetic\n'),
      });
      expect(await folder.run(['migrate'], env)).toMatchObject({ stdout: expect.stringContaining('is up to date') });
      expect(await folder.run(['status'], env)).toMatchObject({ code: 0 });
      const after = await withStore(env, folder.path, contents);
      expect(after.translations).toHaveLength(before.articles?.length as number);
      expect(after).toEqual({
        ...before,
        articles: before.articles?.map((row) => JSON.stringify({ ...JSON.parse(row), language: 'en' })),
        translations: after.translations,
      });

      delete MIGRATIONS['9999-synthetic'];
      const newer = await folder.run(['status'], env);
      expect(newer.code).toBe(1);
      expect(newer.stderr).toMatch(/has had 9999-synthetic, which this version does not know/);
      expect((await folder.run(['migrate'], env)).code).toBe(1);
      expect(await withStore(env, folder.path, contents)).toEqual(after);
    },
  );
});
