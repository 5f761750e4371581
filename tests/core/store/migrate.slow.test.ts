import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MIGRATIONS } from '../../../src/core/store/migrations.ts';
import { migrate, schemaState } from '../../../src/core/store/schema.ts';
import { openStore, type Store } from '../../../src/core/store/store.ts';
import { keepOneFeed, newFolder } from '../../support/command.ts';
import { newPostgresUrl } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

afterEach(() => {
  delete MIGRATIONS['9999-synthetic'];
});

/** What a later version of daywire would bring. */
async function translations(db: Kysely<unknown>): Promise<void> {
  await sql`alter table articles add column tone text not null default 'dry'`.execute(db);
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

describe('migrations', () => {
  it.each(['sqlite', 'postgres'] as const)('run once on %s where processes start together', async (dialect) => {
    const path = join(temporaryFolder(), 'daywire.db');
    const databaseUrl = dialect === 'sqlite' ? undefined : await newPostgresUrl();
    const [one, two] = await Promise.all([openStore({ databaseUrl, path }), openStore({ databaseUrl, path })]);
    await migrate(one);
    MIGRATIONS['9999-synthetic'] = translations;
    const ran = await Promise.all([migrate(one), migrate(two)]);
    expect(ran.flat()).toEqual(['9999-synthetic']);
    expect((await schemaState(two)).kind).toBe('current');
    await Promise.all([one.close(), two.close()]);
  });
});

describe('a migration on PostgreSQL', () => {
  /** A store whose migration is due, and a transaction that reads a table of it until `end` is called. */
  async function withReader() {
    const databaseUrl = await newPostgresUrl();
    const [store, reader] = await Promise.all([
      openStore({ databaseUrl, path: '' }),
      openStore({ databaseUrl, path: '' }),
    ]);
    onTestFinished(async () => void (await Promise.all([store.close(), reader.close()])));
    MIGRATIONS['9999-synthetic'] = async (db) => {
      await translations(db);
      await sql`alter table editions add column region text`.execute(db);
    };
    const tx = await reader.db.startTransaction().execute();
    await sql`select count(*) from editions`.execute(tx);
    return { store, tx };
  }

  it('gives way to transactions that read, and runs when they end', async () => {
    const { store, tx } = await withReader();
    const migrating = migrate(store);
    await sleep(300);
    // The migration holds this table and waits for the other one: a deadlock, if it did not give way.
    await sql`select count(*) from articles`.execute(tx);
    await sleep(2000);
    expect((await schemaState(store)).kind).toBe('stale');
    await tx.commit().execute();
    expect(await migrating).toEqual(['9999-synthetic']);
    const { rows } = await sql`select current_setting('statement_timeout') as statement,
      current_setting('lock_timeout') as lock`.execute(store.db);
    expect(rows).toEqual([{ statement: '30min', lock: '0' }]);
  });

  it('names who reads when it gives up, and has changed nothing', async () => {
    const { store, tx } = await withReader();
    let now = performance.now();
    // The store measures its statements, too.
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 5_000));
    onTestFinished(() => clock.mockRestore());
    await expect(migrate(store)).rejects.toThrow(
      /in use for a minute, and is unchanged: stop daywire.*: \d+ daywire since 2.*: select count/,
    );
    await tx.rollback().execute();
    expect(await schemaState(store)).toEqual({ kind: 'stale', missing: ['9999-synthetic'] });
  });

  it('may take longer than other statements', async () => {
    const databaseUrl = `${await newPostgresUrl()}?statement_timeout=200`;
    const store = await openStore({ databaseUrl, path: '' });
    onTestFinished(() => store.close());
    MIGRATIONS['9999-synthetic'] = async (db) => void (await sql`select pg_sleep(0.5)`.execute(db));
    expect(await migrate(store)).toEqual(['9999-synthetic']);
    await expect(sql`select pg_sleep(0.5)`.execute(store.db)).rejects.toThrow('statement timeout');
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
        articles: before.articles?.map((row) => JSON.stringify({ ...JSON.parse(row), tone: 'dry' })),
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
