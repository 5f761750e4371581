import { expect, it } from 'vitest';
import { findEdition, findNewestEditions, lastEditions, listEditions } from '../../src/editions/queries.ts';
import { recordEdition } from '../../src/editions/record.ts';
import { findDueCorrections } from '../../src/editions/selection/candidates.ts';
import { DAY } from '../../src/lib/time.ts';
import { openMigrated } from '../support/databases.ts';
import { queryPlan, recordQueries } from '../support/recorded-queries.ts';
import { CUTOFF, closeEdition, compose, save, threeStories } from './fixtures.ts';

// Partial indexes only have pinned articles, and articles with a note. The scan of edition_corrections is for a foreign
// key, and runs only if an edition is deleted. json_each, a virtual table, has the rows of an insert.
const HARMLESS = /VALUES CLAUSE|VIRTUAL TABLE|CONSTANT ROW|articles_pinned|articles_by_note|^SCAN edition_corrections$/;

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

it('lists of editions look by an index of their newest revisions', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  await listEditions(recorded.db, null, 10);
  await lastEditions(recorded.db, 'daily-roundup', 3);
  await findEdition(recorded.db, 'daily-roundup', '2026-11-24');
  await findNewestEditions(recorded.db);
  const plans = await Promise.all(takeQueries().map((query) => queryPlan(store, query)));
  expect(plans).toHaveLength(4);
  const steps = plans.flat().filter((step) => /editions/.test(step));
  expect(steps).toEqual([
    'SCAN editions USING INDEX editions_newest',
    'SEARCH editions USING INDEX editions_newest_by_number (newsletter=?)',
    expect.stringMatching(/^SEARCH editions USING INDEX .* \(newsletter=\? AND slot=\?\)$/),
    'SCAN editions USING INDEX editions_newest_by_number',
    'SEARCH editions USING INDEX editions_newest_by_number (newsletter=? AND number=?)',
  ]);
  await store.close();
});

it('corrections are looked for among the few articles with a note, not among the stories of all editions', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  await findDueCorrections(recorded.db, 'daily-roundup');
  const [query] = takeQueries();
  const steps = await queryPlan(store, query!);
  expect(steps[0]).toBe('SEARCH articles USING INDEX articles_by_note (noted_at>?)');
  expect(steps.filter((step) => step.includes('edition_articles'))).toEqual([
    expect.stringMatching(/^SEARCH edition_articles .*\(newsletter=\? AND article_id=\?\)/),
  ]);
  await store.close();
});
