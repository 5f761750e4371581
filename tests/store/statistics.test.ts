import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { importText } from '../../src/articles/import/import.ts';
import { analyseGrown, analyseTables } from '../../src/store/statistics.ts';
import type { Store } from '../../src/store/store.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { sampleConfig } from '../support/sample.ts';

/** The rows that PostgreSQL's planner expects in a table; null on SQLite. */
async function expectedRows({ db, dialect }: Store, table: string): Promise<number | null> {
  if (dialect === 'sqlite') return null;
  const { rows } = await sql<{ reltuples: number }>`
    select reltuples from pg_class where oid = ${table}::regclass`.execute(db);
  return rows[0]?.reltuples ?? null;
}

async function addFiles({ db }: Store, from: number, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => ({ path: `${from + n}`, fingerprint: '', imported_at: NOW }));
  await db.insertInto('imported_files').values(rows).execute();
}

forEachDatabase((open, dialect) => {
  const isPlanned = dialect === 'postgres';

  it('a table is analysed after a thousand rows, and again after a tenth of what it has', async () => {
    const store = await open();
    await analyseTables(store.db, ['imported_files']);
    const table = ['imported_files'] as const;
    await addFiles(store, 0, 2_000);
    await analyseGrown(store.db, table, 999);
    expect(await expectedRows(store, 'imported_files'), 'too few').toBe(isPlanned ? 0 : null);
    await analyseGrown(store.db, table, 2_000);
    expect(await expectedRows(store, 'imported_files')).toBe(isPlanned ? 2_000 : null);
    for (const from of [2_000, 6_000, 10_000]) await addFiles(store, from, 4_000);
    await analyseGrown(store.db, table, 12_000);
    await addFiles(store, 14_000, 1_000);
    await analyseGrown(store.db, table, 1_000);
    expect(await expectedRows(store, 'imported_files'), 'too few of 14,000').toBe(isPlanned ? 14_000 : null);
    await analyseGrown(store.db, table, 1_400);
    expect(await expectedRows(store, 'imported_files')).toBe(isPlanned ? 15_000 : null);
  });

  it('PostgreSQL knows the articles of a large import when it ends', async () => {
    const store = await open();
    await analyseTables(store.db, ['articles', 'article_slugs']);
    const lines = Array.from({ length: 1_000 }, (_, n) =>
      JSON.stringify({ id: `a-${n}`, headline: `Headline ${n}`, published: '2026-11-23T08:00:00Z', body: 'Text.' }),
    );
    const input = { source: 'all.jsonl', text: lines.join('\n'), format: 'jsonl' as const };
    const report = await importText(store, sampleConfig(), input, { clock: () => NOW });
    expect(report.added).toBe(1_000);
    for (const table of ['articles', 'article_slugs']) {
      expect(await expectedRows(store, table)).toBe(isPlanned ? 1_000 : null);
    }
  });
});
