import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { exportArticles } from '../../../src/articles/export/export-articles.ts';
import { importPaths } from '../../../src/articles/import/import.ts';
import { toArticle } from '../../../src/articles/stored-document.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { anyText } from '../../support/any-text.ts';
import { article, picture, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { ROOT } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openSampleApp, openTestApp, type TestApp } from '../../support/test-app.ts';
import { importJson, importMarkdown } from '../imports.ts';

/** All articles but roundups of editions, by id. */
async function storedArticles({ db }: Store): Promise<Article[]> {
  const rows = await db.selectFrom('articles').select('document').orderBy('id').execute();
  return rows.map(toArticle).filter(({ page }) => page === null);
}

async function importFrom(folder: string, store: Store, config: TestApp['config']): Promise<Article[]> {
  const options = { clock: () => NOW, yes: true };
  const { rejected } = await importPaths(store, config, [join(folder, 'articles')], options);
  expect(rejected).toEqual([]);
  return storedArticles(store);
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name));

/** A body whose Markdown cannot be written exactly is read back as the HTML that readers get. */
const forReaders = (articles: Article[]): Omit<Article, 'body'>[] => articles.map(({ body: _body, ...rest }) => rest);

/** Text that means something in YAML, Markdown, shortcodes or names of keys, and any other. */
const oddText = fc.oneof(
  anyText(40),
  fc.constantFrom(
    'null',
    '~',
    '#tag',
    '##tag',
    '“quoted”',
    '{{< note >}} text',
    '{% raw %} x',
    'a: b # c',
    '- x',
    '0042',
    '---',
  ),
);

const written = fc.record(
  {
    headline: fc.tuple(fc.constant('A'), oddText).map((parts) => parts.join(' ')),
    body: fc.array(oddText, { maxLength: 3 }).map((parts) => ['Text.', ...parts].join('\n\n')),
    format: fc.constantFrom('markdown', 'html'),
    kind: fc.constantFrom('brief', 'roundup-item', 'exclusive'),
    kicker: oddText,
    topic: oddText,
    dek: oddText,
    tags: fc.array(oddText, { maxLength: 3 }),
    bylines: fc.array(fc.record({ name: oddText, role: fc.constantFrom('reporter', 'editor') }), { maxLength: 2 }),
    outlet: fc.record({ name: oddText, url: fc.webUrl() }),
    fullStory: fc.record({ title: oddText, url: fc.webUrl() }),
    eventKey: oddText,
    pinned: fc.boolean(),
    byRule: fc.boolean(),
    updated: fc.constantFrom('2026-11-24T09:00:00.123Z', '2026-11-25'),
    image: fc.record({ url: fc.constant('https://images.example/a.jpg'), alt: oddText, credit: oddText }),
    state: fc.constantFrom('draft', 'published'),
    language: fc.constantFrom('en', 'zh-Hans', 'ar'),
  },
  { requiredKeys: ['headline', 'body'] },
);

async function openDisposable(): Promise<Store & AsyncDisposable> {
  const store = await openMigrated();
  return { ...store, [Symbol.asyncDispose]: () => store.close() };
}

forEachDatabase((open) => {
  describe('the export of articles', () => {
    it('of the sample newsroom is imported without a difference', async () => {
      const app = await openSampleApp(await open());
      const folder = join(temporaryFolder(), 'export');
      const before = await storedArticles(app.store);
      const exported = await exportArticles(app, folder);
      expect(exported).toMatchObject({ articles: before.length, problems: [] });
      expect(exported.media).toBe(filesOf(join(folder, 'media')).length);
      expect(exported.media).toBeGreaterThan(0);
      expect(await importFrom(folder, await open(), app.config)).toEqual(before);
    });

    it('has each state, with its note and its embargo', async () => {
      const app = openTestApp(await open());
      const at = NOW - 60_000;
      const statuses: Article['status'][] = [
        { state: 'draft' },
        { state: 'scheduled', until: NOW + 3_600_000 },
        { state: 'corrected', note: 'A name was wrong.', at },
        { state: 'retracted', note: 'It was not so.', at },
      ];
      const all = statuses.map((status) => {
        const publishedAt = status.state === 'scheduled' ? status.until : NOW - 7_200_000;
        return article(status.state, { status, publishedAt, updatedAt: 'at' in status ? at : publishedAt });
      });
      await saveAll(app.store, all);
      const folder = temporaryFolder();
      expect((await exportArticles(app, folder)).problems).toEqual([]);
      const read = await importFrom(folder, await open(), app.config);
      expect(read).toEqual(all.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    });

    it('shows readers the same where the pictures of a body lay beside its file', async () => {
      const media = temporaryFolder();
      mkdirSync(join(media, 'imported'));
      writeFileSync(join(media, 'imported', 'b.png'), readFileSync(join(ROOT, 'sample/media/cloud-market-chart.png')));
      const app = openTestApp(await open(), {
        edit: (yaml) => yaml.replace(/media: .*/, `media: ${media}`),
      });
      const bodyHtml = `<p><img src="${app.config.publication.url}/media/imported/b.png" alt="A" /></p>`;
      await saveAll(app.store, [article('beside', { body: { format: 'markdown', source: '![A](b.png)' }, bodyHtml })]);
      const folder = temporaryFolder();
      expect(await exportArticles(app, folder)).toMatchObject({ articles: 1, media: 1, problems: [] });
      const [read] = await importFrom(folder, await open(), app.config);
      expect(read?.bodyHtml).toContain('/media/imported/b.png');
    });

    it('copies a file of media once, however its address is written', async () => {
      const media = temporaryFolder();
      writeFileSync(join(media, 'a~b.png'), readFileSync(join(ROOT, 'sample/media/cloud-market-chart.png')));
      const app = openTestApp(await open(), { edit: (yaml) => yaml.replace(/media: .*/, `media: ${media}`) });
      const files = ['a~b.png', 'a%7Eb.png', 'a%7eb.png'].map((name) => `${app.config.publication.url}/media/${name}`);
      const bodyHtml = files.map((file) => `<p><img src="${file}" alt="A" /></p>`).join('');
      await saveAll(app.store, [article('twice', { body: { format: 'html', source: bodyHtml }, bodyHtml })]);
      const folder = temporaryFolder();
      expect(await exportArticles(app, folder)).toMatchObject({ articles: 1, media: 1 });
      expect(readdirSync(join(folder, 'media'))).toEqual(['a~b.png']);
    });

    it('names the files of media that are missing', async () => {
      const app = openTestApp(await open());
      const image = picture(`${app.config.publication.url}/media/gone.jpg`);
      await saveAll(app.store, [article('pictured', { image })]);
      const { problems } = await exportArticles(app, temporaryFolder());
      expect(problems.join('\n')).toMatch(/^pictured: .*image.*\n\/media\/gone\.jpg: no such file/);
    });

    it('refuses a folder that is not empty, and changes nothing in it', async () => {
      const app = openTestApp(await open());
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'mine.txt'), '');
      await expect(exportArticles(app, folder)).rejects.toThrow(`${folder} is not empty: name a new folder`);
      expect(readdirSync(folder)).toEqual(['mine.txt']);
    });

    it('is readable by its owner alone: drafts are in it', async () => {
      const app = openTestApp(await open());
      await importMarkdown(app.store, '---\nid: one\nheadline: One\nstate: draft\n---\nText.', { config: app.config });
      const folder = join(temporaryFolder(), 'new');
      await exportArticles(app, folder);
      const [file = ''] = filesOf(folder);
      expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
      expect(statSync(folder).mode & 0o077).toBe(0);
    });
  });
});

describe('an exported article', () => {
  it('is imported without a difference for readers, whatever text it has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 12 }), async (articles) => {
        await using from = await openDisposable();
        await using to = await openDisposable();
        const app = openTestApp(from);
        const dated = articles.map((fields, at) => ({ id: `a.${at}`, published: '2026-11-24T08:00:00.5Z', ...fields }));
        // One that is valid, so that there is something to import.
        await importJson(from, [{ id: 'valid', headline: 'A' }, ...dated], { config: app.config });
        const folder = temporaryFolder();
        expect((await exportArticles(app, folder)).problems).toEqual([]);
        expect(forReaders(await importFrom(folder, to, app.config))).toEqual(forReaders(await storedArticles(from)));
      }),
      { numRuns: runs(200) },
    );
  });
});
