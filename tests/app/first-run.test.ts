import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishAndCompose } from '../../src/app/first-run.ts';
import { importWatched } from '../../src/articles/import/watched/watched-folders.ts';
import { findArticle } from '../../src/articles/queries.ts';
import { markdown } from '../support/articles.ts';
import { openMigrated } from '../support/databases.ts';
import { groupedItem, storeGroup } from '../support/outlet-items.ts';
import { openTestApp } from '../support/test-app.ts';
import { openTestLog } from '../support/test-log.ts';

describe('importing watched folders', () => {
  it('logs each warning about an article, and nothing about a folder that is missing', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { feeds: [] });
    const log = openTestLog();
    const file = join(app.folder, 'story.md');
    writeFileSync(file, markdown('headline: H\npublished: 2026-11-24 08:00', '[router](http://192.168.1.1/)'));
    app.config.import.watch = [file, join(app.folder, 'missing')];
    expect(await importWatched({ ...app, log }, {})).toEqual({ added: 1, updated: 0, rejected: 0 });
    expect(log.lines).toEqual([
      expect.stringContaining('removed from the body: a link at the private address 192.168.1.1'),
      expect.stringMatching(/^imported /),
    ]);
  });

  it('publishes and composes nothing once it is stopped', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { feeds: ['latest'] });
    app.config.import.watch = [join(app.folder, 'story.md')];
    writeFileSync(join(app.folder, 'story.md'), markdown('headline: H'));
    expect(await publishAndCompose(app, { stop: AbortSignal.abort() })).toMatchObject({
      sample: expect.any(Object),
      imported: { added: 0, rejected: 0 },
      published: null,
      edition: null,
      runs: [],
    });
  });
});

describe('publishing and composing at the start', () => {
  it('lets in what a new rule says of reports that were grouped before', async () => {
    const store = await openMigrated();
    const app = openTestApp(store);
    const title = 'Harbour bridge closes for repairs after cracks found';
    const [first] = await storeGroup(store.db, [groupedItem(1, { title }), groupedItem(2, { title })]);
    const newsletters = app.config.newsletters.map((one) => (one.kind === 'roundup' ? { ...one, autoPick: 2 } : one));
    Object.assign(app, { config: { ...app.config, newsletters } });
    await publishAndCompose(app, { stop: new AbortController().signal });
    expect(await findArticle(store.db, `roundup-${first?.id}`)).toMatchObject({ headline: title, isByRule: true });
  });
});
