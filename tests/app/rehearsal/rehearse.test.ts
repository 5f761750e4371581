import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { type Rehearsal, rehearseRestore } from '../../../src/app/rehearsal/rehearse.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { openSigningSecrets } from '../../../src/core/signing-secret.ts';
import { backupStore, openForReading } from '../../../src/core/store/backup/backup.ts';
import { readTables } from '../../../src/core/store/backup/copy-tables.ts';
import { readContent } from '../../../src/core/store/backup/table-checksum.ts';
import { SECRET_FINGERPRINT } from '../../../src/core/store/meta.ts';
import { migrate } from '../../../src/core/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../../src/core/store/store.ts';
import { clockAt, NOW } from '../../support/clock.ts';
import { newPostgresUrl } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';

const HOUR = 3_600_000;

interface Newsroom {
  folder: string;
  config: Config;
  store: Store;
  backup: string;
  clock: () => number;
  /** Rehearses a copy of the backup. @param changes statements, which are executed in the copy without any check */
  rehearse(options?: { changes?: string; signal?: AbortSignal; config?: Config }): Promise<Rehearsal>;
}

/** A live store with an edition of three deliveries, and a backup of it that is an hour old. */
async function newsroom(dialect: Dialect): Promise<Newsroom> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-rehearse-'));
  const databaseUrl = dialect === 'postgres' ? await newPostgresUrl() : undefined;
  const env = { DAYWIRE_SECRET: 's'.repeat(40), ...(databaseUrl && { DAYWIRE_DATABASE_URL: databaseUrl }) };
  const config = sampleConfig(undefined, { cwd: folder, env });
  const store = await openStore({ databaseUrl, path: config.paths.store });
  if (dialect === 'sqlite') await migrate(store);
  await openSigningSecrets(config, store);
  await queueEdition(store, 3, { closedAt: NOW - 2 * HOUR });
  const backup = join(folder, 'backup.db');
  await backupStore(store, backup, NOW - HOUR);
  const { clock } = clockAt(NOW);
  const rehearse: Newsroom['rehearse'] = ({ changes = '', ...options } = {}) => {
    const file = join(folder, 'copy.db');
    copyFileSync(backup, file);
    const database = new DatabaseSync(file, { enableForeignKeyConstraints: false, defensive: false });
    database.exec(changes);
    database.close();
    return rehearseRestore({ file, config, clock, ...options });
  };
  return { folder, config, store, backup, clock, rehearse };
}

/** The checksum of each table of the live store. */
async function contentOf({ store, backup }: Newsroom): Promise<Record<string, string>> {
  const file = openForReading(backup);
  const shapes = await readTables(file.db);
  await file.close();
  return store.db.transaction().execute(async (tx) => {
    const contents: Record<string, string> = {};
    for (const shape of shapes) contents[shape.name] = (await readContent(tx, shape)).checksum;
    return contents;
  });
}

/** Neither a file nor a database stays. */
async function expectNoTrace({ folder, store }: Newsroom): Promise<void> {
  const files = existsSync(join(folder, 'var')) ? readdirSync(join(folder, 'var')) : [];
  expect(files.filter((name) => !name.startsWith('daywire.db'))).toEqual([]);
  if (store.dialect === 'sqlite') return;
  const left = sql<{ n: number }>`select count(*) as n from pg_database where starts_with(datname,
    'daywire_rehearsal_' || (select oid from pg_database where datname = current_database()))`;
  expect((await left.execute(store.db)).rows).toEqual([{ n: 0 }]);
}

describe.each(['sqlite', 'postgres'] as const)('the rehearsal of a restore on %s', (dialect) => {
  let live: Newsroom;
  beforeAll(async () => {
    live = await newsroom(dialect);
  });
  afterAll(async () => {
    await live.store.close();
    rmSync(live.folder, { recursive: true });
  });

  it('finds a good backup equal, and says what would be lost and what would be submitted', async () => {
    await live.store.db
      .updateTable('deliveries')
      .set({ state: 'submitted', changed_at: NOW - 1 })
      .where('subscriber_id', '=', 1)
      .execute();
    await live.store.db
      .insertInto('subscribers')
      .values({ email: 'late@example.com', email_key: 'late@example.com', created_at: NOW - 1 })
      .execute();
    const before = await contentOf(live);

    const rehearsal = await live.rehearse();
    expect(rehearsal).toMatchObject({
      problems: [],
      madeAt: NOW - HOUR,
      restored: { dialect, note: null },
      editions: [{ newsletter: 'daily-roundup', slot: '2026-11-24', problem: null }],
      afterRelease: {
        editions: [{ newsletter: 'daily-roundup', deliveries: 3, submittedSince: 1 }],
        serviceMessages: 0,
      },
      live: { kind: 'compared', lost: { articles: 0, subscribers: 1, editions: 0, submittedDeliveries: 1 } },
    });
    expect(rehearsal.tables.find(({ table }) => table === 'deliveries')).toMatchObject({ rows: 3, difference: null });
    expect(rehearsal.tables.length).toBeGreaterThan(50);
    expect(await contentOf(live)).toEqual(before);
    await expectNoTrace(live);
  });

  it('finds what is wrong with a file that is missing, no database, or damaged', async () => {
    const rehearseFile = async (file: string) => {
      const { problems, restored } = await rehearseRestore({ file, config: live.config, clock: live.clock });
      expect(restored).toBeNull();
      return problems.join();
    };
    const missing = join(live.folder, 'missing.db');
    expect(await rehearseFile(missing)).toBe(`there is no file ${missing}`);
    expect(existsSync(missing)).toBe(false);
    const text = join(live.folder, 'text.db');
    writeFileSync(text, 'no database at all'.repeat(1_000));
    expect(await rehearseFile(text)).toBe(`${text} cannot be read: file is not a database`);
    const short = join(live.folder, 'short.db');
    copyFileSync(live.backup, short);
    truncateSync(short, 200_000);
    expect(await rehearseFile(short)).toMatch(/short\.db (is damaged|cannot be read)/);
    const folder = join(live.folder, 'folder.db');
    mkdirSync(folder);
    expect(await rehearseFile(folder)).toMatch(/folder\.db cannot be read/);
    await expectNoTrace(live);
  });

  it('finds a backup of an older schema, and one of a newer version', async () => {
    expect(
      (await live.rehearse({ changes: `insert into kysely_migration values ('9999-future', '2027-01-01')` })).problems,
    ).toEqual([expect.stringMatching(/has had 9999-future, which this version does not know/)]);
    expect((await live.rehearse({ changes: `delete from kysely_migration where name > '0018'` })).problems).toEqual([
      expect.stringMatching(/lacks .*0021-.*only the current schema/),
    ]);
  });

  it('finds rows that no store would take', async () => {
    const { problems, restored } = await live.rehearse({ changes: 'delete from subscribers where id = 2' });
    expect(restored).toBeNull();
    expect(problems).toEqual([expect.stringMatching(/^cannot be restored: .*foreign key/i)]);
    await expectNoTrace(live);
  });

  it('finds a row that is another one once it is restored', async () => {
    // Text where every store has a number, in a file whose schema permits it.
    const changes = `pragma writable_schema = on;
      update sqlite_schema set sql = replace(sql, 'created_at integer', 'created_at') where name = 'subscribers';
      pragma writable_schema = reset;
      update subscribers set created_at = '7' where id = 2`;
    const { problems, tables } = await live.rehearse({ changes });
    expect(problems).toEqual(['subscribers: rows differ where they were restored']);
    expect(tables.filter(({ difference }) => difference !== null)).toEqual([
      { table: 'subscribers', rows: 3, difference: 'rows differ where they were restored' },
    ]);
  });

  it('is not begun without room for the backup, which is not called bad for that', async () => {
    if (dialect === 'postgres') return;
    const file = join(live.folder, 'huge.db');
    copyFileSync(live.backup, file);
    // Sparse: it takes no room itself.
    truncateSync(file, 8 * 2 ** 40);
    const rehearsal = rehearseRestore({ file, config: live.config, clock: live.clock });
    await expect(rehearsal).rejects.toThrow(
      /needs \d+ MB of free disk space in \S+var, which has \d+ MB: nothing was tried$/,
    );
    rmSync(file);
    await expectNoTrace(live);
  });

  it('finds an edition of which no copy can be made, beside a live store of another schema', async () => {
    await sql`insert into kysely_migration values ('9999-future', '2027-01-01')`.execute(live.store.db);
    const { problems, live: compared } = await live.rehearse({ changes: `update editions set html = 'cut'` });
    await sql`delete from kysely_migration where name = '9999-future'`.execute(live.store.db);
    expect(problems).toEqual([
      expect.stringMatching(/^no copy can be made of the edition daily-roundup\/2026-11-24: .*placeholder unsubscribe/),
    ]);
    expect(compared).toMatchObject({ reason: expect.stringMatching(/does not have the schema of this version/) });
  });

  it('compares a backup of another signing secret nevertheless, also one that holds no queue', async () => {
    const changes = `update meta set value = 'another' where key = '${SECRET_FINGERPRINT}';
      delete from meta where key = 'delivery.held'`;
    const { problems, tables, live: compared } = await live.rehearse({ changes });
    expect(problems).toEqual([expect.stringMatching(/the signing secret .* is not the one/)]);
    expect(tables.length).toBeGreaterThan(50);
    expect(compared).toEqual({ kind: 'not-compared', reason: 'the backup does not say when it was made' });
  });

  it('deletes the temporary store when it is interrupted', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(live.rehearse({ signal: stop.signal })).rejects.toThrow('interrupted');
    await expectNoTrace(live);
  });

  it('uses SQLite, and says so, where the role may not create a database', async () => {
    if (dialect === 'sqlite') return;
    const url = new URL(live.config.secrets.databaseUrl ?? '');
    const role = `plain${url.pathname.slice(1, 12)}`;
    await sql`create role ${sql.id(role)} login password 'x'`.execute(live.store.db);
    await sql`grant select on all tables in schema public to ${sql.id(role)}`.execute(live.store.db);
    const databaseUrl = Object.assign(new URL(url), { username: role, password: 'x' }).href;
    const config = { ...live.config, secrets: { ...live.config.secrets, databaseUrl } };
    const rehearsal = await live.rehearse({ config });
    await sql`revoke select on all tables in schema public from ${sql.id(role)}`.execute(live.store.db);
    await sql`drop role ${sql.id(role)}`.execute(live.store.db);
    expect(rehearsal).toMatchObject({
      problems: [],
      restored: { dialect: 'sqlite', note: expect.stringMatching(/may not create a database/) },
      live: { kind: 'compared' },
    });
    await expectNoTrace(live);
  });

  it('creates no live store', async () => {
    if (dialect === 'postgres') return;
    const config = { ...live.config, paths: { ...live.config.paths, store: join(live.folder, 'none.db') } };
    const rehearsal = await live.rehearse({ config });
    expect(rehearsal.problems).toEqual([]);
    expect(rehearsal.live).toEqual({ kind: 'not-compared', reason: `there is no store ${config.paths.store}` });
    expect(existsSync(config.paths.store)).toBe(false);
  });
});
