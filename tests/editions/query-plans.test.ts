import { expect, it } from 'vitest';
import { recordEdition } from '../../src/editions/record.ts';
import { DAY } from '../../src/lib/time.ts';
import { openMigrated } from '../support/databases.ts';
import { queryPlan, recordQueries } from '../support/recorded-queries.ts';
import { CUTOFF, closeEdition, compose, save, threeStories } from './fixtures.ts';

// Partial indexes only have pinned articles, and articles with a note. The scan of edition_corrections is for a foreign
// key, and runs only if an edition is deleted.
const HARMLESS = /VALUES CLAUSE|CONSTANT ROW|articles_pinned|articles_by_note|^SCAN edition_corrections$/;

it('composing and closing an edition scans no table of the archive', async () => {
  const store = await openMigrated();
  await save(store, threeStories('day0', CUTOFF));
  await closeEdition(store, await compose(store));
  await save(store, threeStories('day1', CUTOFF + DAY));

  const { store: recorded, takeQueries } = recordQueries(store);
  const edition = await compose(recorded, CUTOFF + DAY);
  await recorded.db.transaction().execute((tx) => recordEdition(tx, edition, CUTOFF + DAY));

  const queries = takeQueries();
  expect(queries.length).toBeGreaterThan(15);
  const plans = await Promise.all(queries.map((query) => queryPlan(store, query)));
  expect(plans.flat().filter((step) => step.startsWith('SCAN ') && !HARMLESS.test(step))).toEqual([]);
  await store.close();
});
