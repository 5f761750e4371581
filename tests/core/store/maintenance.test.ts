import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { importSubscribers } from '../../../src/audience/csv/import.ts';
import { backupStore, restoreStore } from '../../../src/core/store/backup/backup.ts';
import { analyseGrown, analyseTables, reclaimSpace } from '../../../src/core/store/maintenance.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { importExport } from '../../../src/own-sites/exports/import-export.ts';
import { importText } from '../../articles/imports.ts';
import { ghostExport, ghostPost } from '../../own-sites/exports/wxr.ts';
import { NOW } from '../../support/clock.ts';
import { forBothDatabases, openMigrated } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Rows of a table at its last analysis; on SQLite 'none' where nothing has been analysed. */
async function analysedRows({ db, dialect }: Store, table: string): Promise<number | string> {
  if (dialect === 'sqlite') {
    const { rows } = await sql`select 1 from sqlite_schema where name like 'sqlite_stat%'`.execute(db);
    return rows.length === 0 ? 'none' : 'some';
  }
  const { rows } = await sql<{ reltuples: number }>`
    select reltuples from pg_class where oid = ${table}::regclass`.execute(db);
  return rows[0]?.reltuples ?? Number.NaN;
}

async function addFiles({ db }: Pick<Store, 'db'>, from: number, count: number): Promise<void> {
  const rows = range(count).map((n) => ({ path: `${from + n}`, fingerprint: '', imported_at: NOW }));
  await db.insertInto('imported_files').values(rows).execute();
}

forBothDatabases((open, dialect) => {
  /** What is analysed: on SQLite nothing. */
  const rows = (count: number): number | string => (dialect === 'postgres' ? count : 'none');

  it('a table is analysed after a thousand rows, and again after a tenth of what it has', async () => {
    const store = await open();
    // Nor by the server meanwhile.
    if (dialect === 'postgres') await sql`alter table imported_files set (autovacuum_enabled = off)`.execute(store.db);
    await analyseTables(store.db, ['imported_files']);
    const table = ['imported_files'] as const;
    await addFiles(store, 0, 2_000);
    await analyseGrown(store.db, table, 999);
    expect(await analysedRows(store, 'imported_files'), 'too few').toBe(rows(0));
    await analyseGrown(store.db, table, 2_000);
    expect(await analysedRows(store, 'imported_files')).toBe(rows(2_000));
    for (const from of [2_000, 6_000, 10_000]) await addFiles(store, from, 4_000);
    await analyseGrown(store.db, table, 12_000);
    await addFiles(store, 14_000, 1_000);
    await analyseGrown(store.db, table, 1_000);
    expect(await analysedRows(store, 'imported_files'), 'too few of 14,000').toBe(rows(14_000));
    await analyseGrown(store.db, table, 1_400);
    expect(await analysedRows(store, 'imported_files')).toBe(rows(15_000));
  });

  it('what is locked is left as it is, and fails nothing', async () => {
    const store = await open();
    await addFiles(store, 0, 2_000);
    const locked = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const other = store.db.transaction().execute(async (tx) => {
      if (dialect === 'postgres') await sql`lock table imported_files`.execute(tx);
      locked.resolve();
      await done.promise;
    });
    await locked.promise;
    const calls = [analyseGrown(store.db, ['imported_files'], 2_000), reclaimSpace(store.db, 'imported_files')];
    // SQLite has one connection.
    if (dialect === 'postgres') await Promise.all(calls);
    done.resolve();
    await Promise.all([other, ...calls]);
    expect(await store.db.selectFrom('imported_files').select('path').execute()).toHaveLength(2_000);
  });

  it('what cannot be analysed fails nothing', async () => {
    const store = await open();
    await analyseTables(store.db, ['no_such_table']);
    await analyseGrown(store.db, ['no_such_table' as 'articles'], 5_000);
    expect(await store.db.selectFrom('articles').select('id').execute()).toEqual([]);
  });

  it('articles are analysed at the end of a large import', async () => {
    const store = await open();
    const lines = range(1_000).map((n) =>
      JSON.stringify({ id: `a-${n}`, headline: `Headline ${n}`, published: '2026-11-23T08:00:00Z', body: 'Text.' }),
    );
    const input = { source: 'all.jsonl', text: lines.join('\n'), format: 'jsonl' as const };
    await importText(store, sampleConfig(), input, { clock: () => NOW });
    for (const table of ['articles', 'article_slugs']) expect(await analysedRows(store, table)).toBe(rows(1_000));
  });

  it('articles are analysed at the end of an export that is imported in parts', async () => {
    const store = await open();
    const file = join(temporaryFolder(), 'export.json');
    writeFileSync(file, ghostExport(range(1_000).map((n) => ghostPost(n + 1))));
    const options = { from: 'ghost', sourceId: 'blog', siteUrl: 'https://times.example', clock: () => NOW } as const;
    const { added } = await importExport(store, sampleConfig(), file, options);
    expect(await analysedRows(store, 'articles')).toBe(rows(added));
  });

  it('subscribers are analysed at the end of a large import', async () => {
    const store = await open();
    const file = join(temporaryFolder(), 'list.csv');
    writeFileSync(file, ['email', ...range(1_000).map((n) => `person${n}@example.com`)].join('\n'));
    const options = { newsletters: ['daily'], known: ['daily'], clock: () => NOW };
    await importSubscribers(store, SECRETS, file, options);
    for (const table of ['subscribers', 'subscriptions']) {
      expect(await analysedRows(store, table)).toBe(rows(1_000));
    }
  });

  it('every table is analysed after a restore', async () => {
    const file = join(temporaryFolder(), 'backup.db');
    const source = await openMigrated();
    await addFiles(source, 0, 30);
    await backupStore(source, file, NOW);
    await source.close();
    const store = await open();
    await restoreStore(file, store, NOW);
    expect(await analysedRows(store, 'imported_files')).toBe(rows(30));
  });
});
