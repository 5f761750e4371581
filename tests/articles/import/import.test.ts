import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importPaths } from '../../../src/articles/import/import.ts';
import { countDueChanges } from '../../../src/articles/pending-changes.ts';
import { findArticle, findArticleBySlug } from '../../../src/articles/queries.ts';
import { countRejections, listRejections } from '../../../src/articles/rejections.ts';
import { documentJson } from '../../../src/articles/stored-document.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { publishChanges } from '../../../src/feeds/publish/publish.ts';
import { HOUR, SECOND } from '../../../src/lib/time.ts';
import { markdown } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openTestApp } from '../../support/test-app.ts';
import { configWith, importJson, importMarkdown, importText, messagesOf } from '../imports.ts';

const clock = () => NOW;

/** All rows that imports write, as JSON. */
async function rows(store: Store): Promise<unknown> {
  const all = <T extends 'articles' | 'article_slugs' | 'article_tags' | 'pending_changes' | 'rejections'>(table: T) =>
    store.db.selectFrom(table).selectAll().execute();
  const read = await Promise.all([
    all('articles'),
    all('article_slugs'),
    all('article_tags'),
    all('pending_changes'),
    all('rejections'),
  ]);
  return read.map((table) => table.map((row) => JSON.stringify(row)).sort());
}

const FULL = `
kind: analysis
kicker: In Depth
topic: Batteries
headline: 'Vec<T> & AT&T “三星” 🚀'
shortHeadline: Short
pinned: true
dek: One sentence.
published: 2026-11-24 07:30
updated: 2026-11-24T08:00:00+08:00
section: Business & Tech
tags: [5G, 2026, 5G]
bylines:
  - { name: Lin Example, email: lin@example.com }
  - { role: editor, name: Mo Example }
fullStory: { url: /long, title: Long }
related: [{ url: https://example.com/earlier, title: Earlier }]
outlet: { name: Yicai, url: https://example.com/yicai }
eventKey: e-1
image: { url: https://example.com/a.jpg, alt: Alt, credit: VCG, type: image/jpeg, length: 10, width: 4, height: 3 }
enclosures: [{ url: https://example.com/a.mp3, type: audio/mpeg, length: 20 }]
language: zh-hans
state: corrected
note: The figure was wrong.
`;

describe('the digest of an article', () => {
  it('is that of the first version of daywire, so that a newer one finds no edit in an unchanged file', async () => {
    const store = await openMigrated();
    const body =
      'Family 👨‍👩‍👧 and ❤️, \u2067שלום\u2069 and \u202bعربي\u202c, \u200eleft\u200f, [a](/b), 三星.\n\nSecond.';
    await importMarkdown(store, markdown(`${FULL}id: story`, body));
    const { digest } = await store.db.selectFrom('articles').select('digest').executeTakeFirstOrThrow();
    expect(digest).toBe('fa05cb57cfa891d5f7d33d84e87ecc0381acf85bba62d6133e848914966930c1');
  });
});

describe('importPaths and importText', () => {
  forEachDatabase((open) => {
    it('store all keys of front matter', async () => {
      const store = await open();
      expect(
        await importMarkdown(store, markdown(`${FULL}id: full-1`, 'First.\n\n[x](/y)'), { name: 'in/full-1.md' }),
      ).toMatchObject({
        added: 1,
        warningCount: 0,
      });
      expect(await findArticle(store.db, 'full-1')).toEqual({
        id: 'full-1',
        tagUri: 'tag:example.com,2026:articles/full-1',
        slug: 'vec-t-at-t',
        url: null,
        kind: 'analysis',
        kicker: 'In Depth',
        topic: 'Batteries',
        headline: 'Vec<T> & AT&T “三星” 🚀',
        shortHeadline: 'Short',
        pinned: true,
        dek: 'One sentence.',
        body: { format: 'markdown', source: 'First.\n\n[x](/y)' },
        bodyHtml: '<p>First.</p>\n<p><a href="https://news.example/y">x</a></p>',
        publishedAt: Date.parse('2026-11-23T23:30:00Z'),
        updatedAt: Date.parse('2026-11-24T00:00:00Z'),
        section: 'business-tech',
        tags: ['5G', '2026'],
        bylines: [
          { role: 'reporter', name: 'Lin Example', email: 'lin@example.com' },
          { role: 'editor', name: 'Mo Example', email: null },
        ],
        fullStory: { url: 'https://news.example/long', title: 'Long' },
        related: [{ url: 'https://example.com/earlier', title: 'Earlier' }],
        outlet: { name: 'Yicai', url: 'https://example.com/yicai', publishedAt: null },
        also: [],
        eventKey: 'e-1',
        image: {
          url: 'https://example.com/a.jpg',
          alt: 'Alt',
          credit: 'VCG',
          type: 'image/jpeg',
          length: 10,
          width: 4,
          height: 3,
        },
        enclosures: [{ url: 'https://example.com/a.mp3', type: 'audio/mpeg', length: 20, title: null }],
        language: 'zh-Hans',
        status: { state: 'corrected', note: 'The figure was wrong.', at: NOW },
        page: null,
      });
    });

    it('move an article to its first written date everywhere', async () => {
      const app = openTestApp(await open(), { feeds: ['24-hours'] });
      const { db } = app.store;
      const keys = 'headline: Solar Roofs\ntags: [energy]\nauthor: Ada Example';
      const feed = async () => {
        app.now += SECOND;
        await publishChanges(app);
        return readFileSync(join(app.config.paths.feeds, '24-hours.json'), 'utf8');
      };
      await importMarkdown(app.store, markdown(keys), { config: app.config, now: app.now });
      expect(await feed()).toContain('Solar Roofs');
      const dated = markdown(`${keys}\npublished: 2015-03-26`);
      expect(await importMarkdown(app.store, dated, { config: app.config, now: app.now })).toMatchObject({
        updated: 1,
      });
      expect(await feed()).not.toContain('Solar Roofs');
      const published_at = Date.parse('2015-03-26T00:00:00+08:00');
      for (const table of ['articles', 'article_tags', 'article_reporters', 'indexed_articles'] as const) {
        expect(await db.selectFrom(table).select('published_at').execute(), table).toEqual([{ published_at }]);
      }
    });

    it('store the outlet of a roundup item with its time, the others that reported it, and who let it in', async () => {
      const store = await open();
      const outlet = { name: 'The Example', url: 'https://example.com/a', published: '2026-11-24 08:15' };
      const also = ['Daily Example', { name: 'Example Wire', url: 'https://example.com/w' }];
      const item = { id: 'item', headline: 'H', kind: 'roundup-item', outlet, also, byRule: true };
      expect(await importJson(store, [item])).toMatchObject({ added: 1, warningCount: 0 });
      expect(await findArticle(store.db, 'item')).toMatchObject({
        outlet: { name: 'The Example', url: 'https://example.com/a', publishedAt: Date.parse('2026-11-24T00:15:00Z') },
        also: [
          { name: 'Daily Example', url: null },
          { name: 'Example Wire', url: 'https://example.com/w' },
        ],
        isByRule: true,
      });
    });

    it('keep the names of outlets whose links are private', async () => {
      const store = await open();
      const private_ = { name: 'A', url: 'http://10.0.0.1/a' };
      const item = { id: 'item', headline: 'H', kind: 'roundup-item', outlet: private_, also: [private_] };
      expect(await importJson(store, [item])).toMatchObject({ added: 1, warningCount: 1 });
      expect(await findArticle(store.db, 'item')).toMatchObject({
        outlet: { name: 'A', url: null, publishedAt: null },
        also: [{ name: 'A', url: null }],
      });
    });

    it('import JSON Lines, whose ids may be numbers', async () => {
      const store = await open();
      await importJson(store, [
        {
          id: 42,
          headline: 'H',
          tags: null,
          pinned: true,
          image: { url: 'https://e.example/a.png', type: 'image/png', length: 1 },
          body: '<h1>x</h1>',
          format: 'html',
        },
      ]);
      expect(await findArticle(store.db, '42')).toMatchObject({
        pinned: true,
        tags: [],
        bodyHtml: '<h2>x</h2>',
        image: { alt: '', length: 1 },
      });
    });

    it('change no byte of the store when repeated', async () => {
      const store = await open();
      const once = async (now: number) => {
        const good = await importMarkdown(store, markdown(FULL), { now });
        const bad = await importMarkdown(store, markdown('headline: H\nstate: x\nid: bad'), {
          name: 'bad.md',
          now: NOW,
        });
        return [good.added, good.updated, good.unchanged, bad.rejectedCount];
      };
      expect(await once(NOW)).toEqual([1, 0, 0, 1]);
      const before = await rows(store);
      expect(await once(NOW + HOUR)).toEqual([0, 0, 1, 1]);
      expect(await rows(store)).toEqual(before);
    });

    it('update an edited article, and keep its id, slug and publication time', async () => {
      const store = await open();
      await importJson(store, [{ id: 'a', headline: 'One', published: '2026-11-24T10:00:00Z' }]);
      const report = await importJson(store, [{ id: 'a', headline: 'Two', published: '2026-11-24T11:00:00Z' }], {
        now: NOW + HOUR,
      });
      expect(report).toMatchObject({ added: 0, updated: 1 });
      expect(messagesOf(report).warnings).toEqual([
        'wire.jsonl:1: published is ignored: the article has been public since 2026-11-24T10:00:00.000Z',
      ]);
      expect(await findArticle(store.db, 'a')).toMatchObject({
        headline: 'Two',
        slug: 'one',
        publishedAt: Date.parse('2026-11-24T10:00:00Z'),
        updatedAt: NOW + HOUR,
      });
    });

    it('reject an invalid article whole, until a valid version is imported', async () => {
      const store = await open();
      const text = markdown('headline: H\nstate: x\nid: story');
      await importMarkdown(store, text);
      expect(await listRejections(store.db, { limit: 10 })).toEqual([
        {
          key: 'import:story.md:0',
          stage: 'import',
          source: 'story.md',
          line: null,
          articleId: 'story',
          problems: ['story.md:3: state is "x": must be draft, scheduled, published, corrected or retracted'],
          raw: text,
          rejectedAt: NOW,
        },
      ]);
      expect(await findArticle(store.db, 'story')).toBeNull();
      expect(await importMarkdown(store, markdown('headline: H'))).toMatchObject({ added: 1, rejectedCount: 0 });
      expect(await countRejections(store.db)).toBe(0);
    });

    it('keep the stored article if its edit is rejected', async () => {
      const store = await open();
      await importMarkdown(store, markdown('headline: One'));
      await importMarkdown(store, markdown('headline: Two\nstate: draft'));
      expect(await findArticle(store.db, 'story')).toMatchObject({ headline: 'One', status: { state: 'published' } });
      expect((await listRejections(store.db, { limit: 10 }))[0]?.problems).toEqual([
        'story.md:3: the article is public and cannot become a draft again: retract it instead',
      ]);
    });

    it('clear the rejections of lines that are valid or missing since', async () => {
      const store = await open();
      const good = (n: number) => ({ id: `g${n}`, headline: 'H' });
      await importJson(store, [good(1), { id: 'x' }, good(2), { id: 'y' }, { id: 'z' }]);
      expect((await listRejections(store.db, { limit: 10 })).map((entry) => entry.line)).toEqual([2, 4, 5]);
      await importJson(store, [good(1), good(2), { id: 'y' }]);
      expect((await listRejections(store.db, { limit: 10 })).map((entry) => [entry.line, entry.articleId])).toEqual([
        [3, 'y'],
      ]);
    });

    it('reject every invalid line of many batches', async () => {
      const store = await open();
      const articles = Array.from({ length: 450 }, (_, n) =>
        n % 9 === 0 ? { id: `a${n}` } : { id: `a${n}`, headline: `H${n}`, tags: ['t', `t${n}`] },
      );
      const progress: number[] = [];
      const text = articles.map((article) => JSON.stringify(article)).join('\n');
      const once = () =>
        importText(
          store,
          configWith(),
          { source: 'w.jsonl', text, format: 'jsonl' },
          { clock, undated: 'now', onProgress: ({ read }) => progress.push(read) },
        );
      expect(await once()).toMatchObject({ added: 400, rejectedCount: 50 });
      expect(await once()).toMatchObject({ unchanged: 400, rejectedCount: 50 });
      expect(await countRejections(store.db)).toBe(50);
      expect(progress.slice(0, 5)).toEqual([100, 200, 300, 400, 450]);
      expect(await countDueChanges(store.db, NOW)).toEqual({ count: 400, oldestDueAt: NOW });
    });

    it('give articles with the same headline different slugs, and keep old slugs', async () => {
      const store = await open();
      await importJson(store, [
        { id: 'a', headline: 'Charts of the Day' },
        { id: 'b', headline: 'Charts of the Day' },
      ]);
      expect((await findArticle(store.db, 'b'))?.slug).toBe('charts-of-the-day-b');
      await importJson(store, [{ id: 'a', headline: 'Charts of the Day', slug: 'charts' }]);
      expect((await findArticleBySlug(store.db, 'charts-of-the-day'))?.id).toBe('a');
      expect((await findArticleBySlug(store.db, 'charts'))?.id).toBe('a');
      await importJson(store, [{ id: 'c', headline: 'Charts of the Day' }]);
      expect((await findArticle(store.db, 'c'))?.slug).toBe('charts-of-the-day-c');
      // Another article cannot take a slug that is in use.
      const report = await importJson(store, [{ id: 'b', headline: 'Charts of the Day', slug: 'charts' }]);
      expect(report).toMatchObject({ rejectedCount: 0, unchanged: 1 });
      expect((await findArticle(store.db, 'b'))?.slug).toBe('charts-of-the-day-b');
    });

    it('have the same result when they run concurrently as one after the other', async () => {
      const store = await open();
      const article = (id: string) => ({ id, headline: `H ${id}`, slug: 'wanted', published: '2026-11-24T10:00:00Z' });
      const reports = await Promise.all(
        ['a', 'b', 'c'].map((id) => importJson(store, [article(id)], { name: `${id}.jsonl` })),
      );
      expect(reports.map(({ added, rejectedCount }) => added + rejectedCount)).toEqual([1, 1, 1]);
      const winner = (await findArticleBySlug(store.db, 'wanted'))?.id;
      const warnings = reports.flatMap((report) => messagesOf(report).warnings);
      expect(warnings).toHaveLength(2);
      for (const warning of warnings) expect(warning).toContain(`"wanted" belongs to article "${winner}"`);
      const same = await Promise.all(
        [1, 2, 3].map(() => importJson(store, [{ id: 'x', headline: 'X', published: '2026-11-24T10:00:00Z' }])),
      );
      expect(same.every((report) => report.rejectedCount === 0)).toBe(true);
    });

    it('reject a file in another format, once, and leave out locks and the project’s own files', async () => {
      const store = await open();
      const folder = temporaryFolder();
      for (const name of ['a.DOCX', 'c.rst', '~$a.docx', 'README.rst', 'notes.txt'])
        writeFileSync(join(folder, name), 'PK\u0003\u0004');
      writeFileSync(join(folder, 'b.md'), markdown('headline: B'));
      const report = await importPaths(store, configWith(), [folder], { clock, undated: 'now' });
      expect(report).toMatchObject({ added: 1, rejectedCount: 2 });
      const rule = (type: string) =>
        `files in ${type} are not read: save the text as Markdown, in a file whose name ends in .md`;
      expect(messagesOf(report).problems).toEqual([
        `${folder}/a.DOCX:1: ${rule('.DOCX')}`,
        `${folder}/c.rst:1: ${rule('.rst')}`,
      ]);
      await importPaths(store, configWith(), [folder], { clock, undated: 'now' });
      expect(await countRejections(store.db)).toBe(2);
    });

    it('store nothing in a dry run, and count what an import would do', async () => {
      const store = await open();
      await importMarkdown(store, markdown('headline: Old\nid: old'));
      const before = await rows(store);
      const folder = temporaryFolder();
      for (const [name, keys] of Object.entries({ a: 'headline: A', b: 'state: x', old: 'headline: New\nid: old' })) {
        writeFileSync(join(folder, `${name}.md`), markdown(keys));
      }
      const options = { clock, undated: 'now', takeOver: true } as const;
      const report = await importPaths(store, configWith(), [folder], { ...options, isDryRun: true });
      expect(report).toMatchObject({ added: 1, updated: 1, rejectedCount: 1 });
      expect(await rows(store)).toEqual(before);
    });

    it('read folders by name, with files of every format', async () => {
      const store = await open();
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'b/.hidden'), { recursive: true });
      writeFileSync(join(folder, 'a.md'), `\ufeff${markdown('headline: A').replaceAll('\n', '\r\n')}`);
      writeFileSync(join(folder, 'b/b.MARKDOWN'), markdown('headline: B'));
      writeFileSync(join(folder, 'b/c.ndjson'), '{"id":"c","headline":"C"}\r\n');
      writeFileSync(join(folder, 'd.jsonl'), '{"id":"d","headline":"D"}\n{"id":"a","headline":"A again"}\n');
      writeFileSync(
        join(folder, 'e.md'),
        Buffer.from([...Buffer.from('---\nheadline: '), 0xe9, ...Buffer.from('\n---\n')]),
      );
      writeFileSync(join(folder, 'readme.txt'), 'not one of ours');
      writeFileSync(join(folder, 'b/.hidden/x.md'), 'hidden');
      writeFileSync(join(folder, '.a.md'), 'an editor’s swap file');
      symlinkSync(join(folder, 'b'), join(folder, 'b/loop'));
      symlinkSync(join(folder, 'nowhere'), join(folder, 'f.md'));
      const report = await importPaths(store, configWith(), [folder, join(folder, 'a.md')], { clock, undated: 'now' });
      expect(report).toMatchObject({ added: 4 });
      expect(messagesOf(report).problems).toEqual([
        `${folder}/d.jsonl:2: id is "a": article "a" is already at ${folder}/a.md:1`,
        `${folder}/e.md:1: is not UTF-8: save it as UTF-8`,
        `${folder}/f.md:1: does not exist`,
      ]);
      expect(await findArticle(store.db, 'a')).toMatchObject({ headline: 'A', body: { source: 'Some words.' } });
      expect((await listRejections(store.db, { limit: 10 })).map((entry) => entry.raw)).toEqual([
        '{"id":"a","headline":"A again"}',
        expect.stringMatching(/^data:application\/octet-stream;base64,/),
        '',
      ]);
    });
  });

  forEachDatabase((open, dialect) => {
    // On both databases: PostgreSQL rejects strings that SQLite accepts.
    it('accept or reject hostile strings in any field, without an error', { timeout: 60_000 }, async () => {
      const store = await open();
      const nasty = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 30 }),
        fc.constantFrom(
          '\u0000',
          '\ud800',
          ']]>',
          '<script>alert(1)</script>',
          '\r\nBcc: a@b',
          '\ufffe',
          "'; drop table articles",
          '%%x%%',
          '{{ x }}',
          '🚀',
          'x'.repeat(3_000),
        ),
      );
      // Most values have the right type, so that many articles are valid except for the content of their text.
      const mostly = <T>(valid: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
        fc.oneof(
          { weight: 29, arbitrary: valid },
          { weight: 1, arbitrary: fc.oneof(nasty, fc.integer(), fc.array(nasty, { maxLength: 2 })) },
        );
      const link = fc.record({ url: mostly(fc.webUrl()), title: nasty.map((text) => `T${text}`) });
      const article = fc.record(
        {
          id: mostly(fc.nat(60).map((n) => `a${n}`)),
          headline: mostly(nasty.map((text) => `H${text}`)),
          slug: mostly(fc.constant(null)),
          kicker: mostly(nasty),
          topic: mostly(nasty),
          shortHeadline: mostly(nasty),
          dek: mostly(nasty),
          body: mostly(fc.array(nasty).map((parts) => `B ${parts.join(' ')}`)),
          format: fc.constantFrom('html', 'markdown', null),
          published: mostly(fc.date({ min: new Date(0), max: new Date(NOW), noInvalidDate: true })),
          tags: mostly(fc.array(nasty.map((text) => `t${text}`))),
          bylines: mostly(
            fc.array(fc.record({ name: nasty.map((text) => `N${text}`), email: mostly(fc.constant('a@example.com')) })),
          ),
          related: mostly(fc.array(link, { maxLength: 3 })),
          outlet: mostly(link.map(({ url, title }) => ({ url, name: title }))),
          also: mostly(
            fc.array(
              link.map(({ url, title }) => ({ url, name: title })),
              { maxLength: 3 },
            ),
          ),
          eventKey: mostly(nasty),
          language: fc.constantFrom('en', 'zh-hans', null),
        },
        { requiredKeys: ['id', 'headline'] },
      );
      const line = fc.oneof(
        { weight: 9, arbitrary: article.map((a) => JSON.stringify(a)) },
        { weight: 1, arbitrary: nasty.map((text) => text.replace(/[\r\n]/g, '')) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(line, { minLength: 15, maxLength: 30 }), async (lines) => {
          const input = { source: 'w.jsonl', text: lines.join('\n'), format: 'jsonl' } as const;
          const report = await importText(store, configWith(), input, { clock, undated: 'now' });
          const total = report.added + report.updated + report.unchanged + report.rejectedCount;
          expect(total).toBe(
            lines.filter(
              (text) =>
                text
                  .toWellFormed()
                  .replace(/^\ufeff/, '')
                  .trim() !== '',
            ).length,
          );
          for (const { problems } of report.rejected) {
            for (const problem of problems) expect(problem).not.toMatch(/[\u0000-\u001f\u007f]/);
          }
        }),
        { numRuns: runs(dialect === 'sqlite' ? 60 : 25) },
      );
      const stored = await store.db.selectFrom('articles').select(['id', 'document']).execute();
      expect(stored.length).toBeGreaterThan(5);
      for (const { id, ...document } of stored) {
        const article = await findArticle(store.db, id);
        expect(JSON.stringify(article)).toBe(documentJson(document));
        for (const text of texts(article))
          expect(text).toMatch(/^[\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
      }
    });
  });

  it('import nothing if a path does not exist or holds no articles, and name all such paths', async () => {
    const store = await openMigrated();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.md'), markdown('headline: A'));
    writeFileSync(join(folder, 'a.txt'), 'x');
    const paths = [join(folder, 'a.md'), join(folder, 'none'), join(folder, 'a.txt')];
    await expect(importPaths(store, configWith(), paths, { clock })).rejects.toThrow(
      `${folder}/none: does not exist\n` +
        `${folder}/a.txt: must be a folder, or a file in .md, .markdown, .mdx, .jsonl or .ndjson`,
    );
    expect(await findArticle(store.db, 'a')).toBeNull();
  });
});

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}
