import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startImporting } from '../../../../src/articles/import/watched/watched-folders.ts';
import { findArticle } from '../../../../src/articles/queries.ts';
import { markdown } from '../../../support/articles.ts';
import { openMigrated } from '../../../support/databases.ts';
import { openTestApp } from '../../../support/test-app.ts';
import { until } from '../../../support/until.ts';

/** Elsewhere the poll finds the file. */
const IS_WATCHED = process.platform === 'linux';

it('imports a file that is renamed into a watched folder long before the next poll', async () => {
  const store = await openMigrated();
  const app = openTestApp(store, {
    edit: (yaml) => yaml.replace('watch: []', 'watch: [articles]'),
  });
  const folder = join(app.folder, 'articles/desk');
  mkdirSync(folder, { recursive: true });
  const importing = startImporting(app);
  onTestFinished(async () => {
    await importing.stop();
    await store.close();
  });
  const isImported = async (): Promise<boolean> => (await findArticle(store.db, 'story')) !== null;
  // Watching begins soon after the start.
  await until(async () => {
    writeFileSync(join(folder, '.new'), markdown('headline: Story\npublished: 2026-11-24'));
    renameSync(join(folder, '.new'), join(folder, 'story.md'));
    await sleep(100);
    return (await isImported()) || !IS_WATCHED;
  });
  expect(await isImported()).toBe(IS_WATCHED);
});
