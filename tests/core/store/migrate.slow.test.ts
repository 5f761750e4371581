import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
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
