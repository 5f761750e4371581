import type { KyselyPlugin, RootOperationNode } from 'kysely';
import { expect, it } from 'vitest';
import { recordEdition } from '../../src/editions/record.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import type { Store } from '../../src/store/store.ts';
import { openMigrated } from '../support/databases.ts';
import { article, CUTOFF, close, composed, save } from './fixtures.ts';

// Partial indexes are as long as there are pinned articles, and articles with a note. edition_corrections is named for a foreign key
// that only the removal of an edition would follow.
const HARMLESS = /VALUES CLAUSE|CONSTANT ROW|articles_pinned|articles_by_note|^SCAN edition_corrections$/;

it('composing and closing an edition never reads a table of the archive from end to end', async () => {
  const store = await openMigrated();
  await save(
    store,
    [1, 2, 3].map((n) => article(`day0-${n}`, { publishedAt: CUTOFF - n * HOUR })),
  );
  await close(store, await composed(store));
  await save(
    store,
    [1, 2, 3].map((n) => article(`day1-${n}`, { publishedAt: CUTOFF + DAY - n * HOUR })),
  );

  const nodes: RootOperationNode[] = [];
  const watching = watch(store, nodes);
  const edition = await composed(watching, CUTOFF + DAY);
  await watching.db.transaction().execute((tx) => recordEdition(tx, edition, CUTOFF + DAY));

  const scans: string[] = [];
  for (const node of nodes) {
    const query = store.db.getExecutor().compileQuery(node, { queryId: 'plan' });
    const explained = { ...query, sql: `explain query plan ${query.sql}` };
    const { rows } = await store.db.executeQuery<{ detail: string }>(explained);
    scans.push(
      ...rows.map((row) => row.detail).filter((detail) => detail.startsWith('SCAN ') && !HARMLESS.test(detail)),
    );
  }
  expect(nodes.length).toBeGreaterThan(15);
  expect(scans).toEqual([]);
  await store.close();
});

/** The same store, which notes down every query. */
function watch(store: Store, nodes: RootOperationNode[]): Store {
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      nodes.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return { ...store, db: store.db.withPlugin(plugin) };
}
