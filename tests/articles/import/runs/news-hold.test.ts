import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ArticleImportOptions, importPaths } from '../../../../src/articles/import/import.ts';
import { importWatched } from '../../../../src/articles/import/watched/watched-folders.ts';
import { findArticle } from '../../../../src/articles/queries.ts';
import { listRejections } from '../../../../src/articles/rejections.ts';
import { listOpenAlerts } from '../../../../src/core/alerts/alerts.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { HOUR, MINUTE, rfc3339 } from '../../../../src/lib/time.ts';
import { importExport } from '../../../../src/own-sites/exports/import-export.ts';
import { wxr, wxrItem } from '../../../own-sites/exports/wxr.ts';
import { markdown } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { openTestApp } from '../../../support/test-app.ts';
import { configWith } from '../../imports.ts';

const FRESH = rfc3339(NOW - HOUR);
const OLD = '2019-05-06 08:00';

/** Writes Markdown files `<name>-<n>.md`. */
function write(folder: string, name: string, count: number, published: string): void {
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < count; n++) {
    writeFileSync(join(folder, `${name}-${n}.md`), markdown(`headline: Story ${name} ${n}\npublished: ${published}`));
  }
}

function importing(store: Store, path: string, options: Partial<ArticleImportOptions> = {}) {
  return importPaths(store, configWith(), [path], { clock: () => NOW, ...options });
}

describe('a first import of a folder', () => {
  forEachDatabase((open) => {
    it('with more than 20 articles of today holds these back until the operator says so, and no others', async () => {
      const store = await open();
      const folder = temporaryFolder();
      write(join(folder, 'desk'), 'new', 21, FRESH);
      write(join(folder, 'archive'), 'old', 130, OLD);
      const held = { added: 130, heldNews: 21, heldExamples: [0, 1, 10].map((n) => join(folder, `desk/new-${n}.md`)) };
      expect(await importing(store, folder)).toMatchObject({ ...held, rejectedCount: 0 });
      // The folder is known by now, and its import still goes on.
      expect(await importing(store, folder)).toMatchObject({ ...held, added: 0, unchanged: 130 });
      const rejections = await listRejections(store.db, { limit: 100 });
      expect(rejections).toHaveLength(21);
      expect(rejections[0]).toMatchObject({
        articleId: 'new-0',
        problems: [expect.stringMatching(/new-0\.md:1: is held: .*"daywire import --yes"/)],
        raw: expect.stringContaining('headline: Story new 0'),
      });
      expect(await importing(store, folder, { yes: true })).toMatchObject({ added: 21, unchanged: 130, heldNews: 0 });
      expect(await listRejections(store.db, { limit: 100 })).toEqual([]);
      write(join(folder, 'desk'), 'busy', 30, FRESH);
      expect(await importing(store, folder)).toMatchObject({ added: 30, heldNews: 0 });
    });

    it('holds lines of JSON Lines, and publishes up to 20 without a question', async () => {
      const store = await open();
      const line = (n: number) => `${JSON.stringify({ id: `a${n}`, headline: `H${n}`, published: FRESH })}\n`;
      const few = join(temporaryFolder(), 'few.jsonl');
      writeFileSync(few, Array.from({ length: 20 }, (_, n) => line(n)).join(''));
      appendFileSync(few, '{"id":"bad"}\n');
      expect(await importing(store, few)).toMatchObject({ added: 20, rejectedCount: 1, heldNews: 0 });
      expect(await listRejections(store.db, { limit: 100 })).toMatchObject([{ line: 21 }]);
      const many = join(temporaryFolder(), 'many.jsonl');
      writeFileSync(many, Array.from({ length: 21 }, (_, n) => line(n + 50)).join(''));
      expect(await importing(store, many)).toMatchObject({
        added: 0,
        heldNews: 21,
        heldExamples: [1, 2, 3].map((n) => `${many}:${n}`),
      });
    });
  });

  it('does not hold drafts, embargoed articles and those of the day before yesterday', async () => {
    const store = await openMigrated();
    const folder = temporaryFolder();
    write(folder, 'draft', 21, `${FRESH}\nstate: draft`);
    write(folder, 'later', 21, rfc3339(NOW + HOUR));
    write(folder, 'older', 21, rfc3339(NOW - 25 * HOUR));
    expect(await importing(store, folder)).toMatchObject({ added: 63, heldNews: 0 });
  });

  it('holds what has no date, and is to be published now', async () => {
    const store = await openMigrated();
    const folder = temporaryFolder();
    write(folder, 'undated', 21, '');
    expect(await importing(store, folder)).toMatchObject({ added: 0, rejectedCount: 21 });
    expect(await importing(store, folder, { undated: 'now' })).toMatchObject({ added: 0, heldNews: 21 });
  });
});

it('holds the news of a first import of an export', async () => {
  const store = await openMigrated();
  const file = join(temporaryFolder(), 'site.xml');
  const date = FRESH.replace('T', ' ').replace('Z', '');
  // More than a part.
  const items = Array.from({ length: 230 }, (_, n) => wxrItem(n + 1, n % 10 === 0 ? { date } : {}));
  writeFileSync(file, wxr(items));
  const options = { from: 'wordpress', sourceId: 'times', siteUrl: null, clock: () => NOW } as const;
  expect(await importExport(store, configWith(), file, options)).toMatchObject({ added: 207, heldNews: 23 });
  expect(await importExport(store, configWith(), file, options)).toMatchObject({ added: 0, heldNews: 23 });
  expect(await importExport(store, configWith(), file, { ...options, yes: true })).toMatchObject({ added: 23 });
});

describe('a watched folder', () => {
  forEachDatabase((open) => {
    it('raises an alert for what it holds, reads it once, and ends the alert when nothing is held', async () => {
      const store = await open();
      const app = openTestApp(store, { feeds: [] });
      const folder = join(app.folder, "Ann's posts");
      app.config.import.watch = [folder];
      write(folder, 'new', 25, FRESH);
      expect(await importWatched(app, {})).toEqual({ added: 0, updated: 0, rejected: 25 });
      const alerts = await listOpenAlerts(store.db, 'import-held');
      expect(alerts).toMatchObject([
        {
          subject: { folder },
          message: expect.stringMatching(/^25 articles of /),
          actions: [{ command: `import --yes '${app.folder}/Ann'\\''s posts'` }],
        },
      ]);
      expect(await importWatched(app, {})).toEqual({ added: 0, updated: 0, rejected: 0 });
      expect(await listOpenAlerts(store.db, 'import-held')).toEqual(alerts);
      rmSync(join(folder, 'new-0.md'));
      await importPaths(store, app.config, [folder], { clock: app.clock, yes: true });
      await importWatched(app, {});
      expect(await listOpenAlerts(store.db, 'import-held')).toEqual([]);
      expect(await findArticle(store.db, 'new-1')).not.toBeNull();
    });
  });

  it('that has only the draft of "daywire init" knows no site yet', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { feeds: [] });
    const folder = join(app.folder, 'in');
    app.config.import.watch = [folder];
    write(folder, 'example', 1, `${FRESH}\nstate: draft`);
    expect(await importWatched(app, {})).toMatchObject({ added: 1 });
    app.now += HOUR;
    write(folder, 'new', 21, FRESH);
    expect(await importWatched(app, {})).toMatchObject({ added: 0, rejected: 21 });
  });

  it('holds a site that is copied into it in parts, and nothing of a folder that it knows', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { feeds: [] });
    const folder = join(app.folder, 'in');
    app.config.import.watch = [folder];
    for (const [part, outcome] of [
      ['a', { added: 15, rejected: 0 }],
      ['b', { added: 0, rejected: 15 }],
    ] as const) {
      write(folder, part, 15, FRESH);
      app.now += MINUTE;
      expect(await importWatched(app, {})).toMatchObject(outcome);
    }
    await importPaths(store, app.config, [folder], { clock: app.clock, yes: true });
    app.now += 6 * MINUTE;
    write(folder, 'c', 30, rfc3339(app.now - MINUTE));
    expect(await importWatched(app, {})).toMatchObject({ added: 30, rejected: 0 });
  });
});
