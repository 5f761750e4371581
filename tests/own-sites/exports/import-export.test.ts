import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findArticle } from '../../../src/articles/queries.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { type ExportImportOptions, importExport } from '../../../src/own-sites/exports/import-export.ts';
import { recordSeenItems } from '../../../src/sources/item-state.ts';
import { configWith, importText } from '../../articles/imports.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ghostExport, ghostPost, wxr, wxrItem } from './wxr.ts';

const clock = () => Date.UTC(2026, 10, 27, 9);
const config = configWith();
const COUNT = 120;

function exported(text: string | Buffer): string {
  const file = join(temporaryFolder(), 'export');
  writeFileSync(file, text);
  return file;
}

function importing(store: Store, file: string, change: Partial<ExportImportOptions> = {}, using: Config = config) {
  const options = { from: 'wordpress', sourceId: 'wordpress', siteUrl: null, clock, ...change } as const;
  return importExport(store, using, file, options);
}

async function stored({ db }: Store): Promise<{ id: string; origin: string | null }[]> {
  return db.selectFrom('articles').select(['id', 'origin']).orderBy('id').execute();
}

const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);
const GHOST = { from: 'ghost', sourceId: 'ghost', siteUrl: 'https://times.example/' } as const;

forEachDatabase((open) => {
  it('imports an export of WordPress of more than a batch, and changes nothing the second time', async () => {
    const store = await open();
    const file = exported(wxr(numbers.map((id) => wxrItem(id))));
    expect(await importing(store, file)).toMatchObject({ added: COUNT, updated: 0, unchanged: 0, rejectedCount: 0 });
    expect(await importing(store, file)).toMatchObject({ added: 0, updated: 0, unchanged: COUNT, rejectedCount: 0 });
    const [first] = await stored(store);
    expect(first).toEqual({ id: 'wordpress.1', origin: 'source:wordpress' });
  });
});

it('belongs to the source with its id, which may go on with the articles, and to no other input', async () => {
  const store = await openMigrated();
  await importing(store, exported(wxr([wxrItem(17)])), { sourceId: 'our-site' });
  const line = JSON.stringify({ id: 'our-site.17', headline: 'Another', section: 'world', body: 'Text.' });
  const sources = [{ id: 'our-site', url: 'https://times.example' }];
  const withSource = { ...config, sources } as Config;
  const other = await importText(
    store,
    withSource,
    { source: 'a.jsonl', text: line, format: 'jsonl' },
    { clock, undated: 'now' },
  );
  expect(other.rejected[0]?.problems[0]).toMatch(/this article belongs to the source our-site/);
  expect(await stored(store)).toEqual([{ id: 'our-site.17', origin: 'source:our-site' }]);
});

it('leaves out posts that a poll of the source has read since, and says so', async () => {
  const store = await openMigrated();
  const seen = { item: '17', articleId: 'our-site.17', url: null, publishedAt: 0, modifiedAt: clock() };
  await recordSeenItems(store.db, 'our-site', [{ ...seen, heldRecord: null }], clock());
  const report = await importing(store, exported(wxr([wxrItem(17), wxrItem(18)])), { sourceId: 'our-site' });
  expect(report).toMatchObject({ added: 1 });
  expect(report.leftOut).toContain('posts that a poll has read: 1 not imported');
  expect(await stored(store)).toMatchObject([{ id: 'our-site.18' }]);
});

it('rejects one post with its reason, and imports the others', async () => {
  const store = await openMigrated();
  const file = exported(wxr([wxrItem(1), wxrItem(2, { content: 'x'.repeat(1_100_000) }), wxrItem(3)]));
  const report = await importing(store, file);
  expect(report).toMatchObject({ added: 2, rejectedCount: 1 });
  expect(report.rejected[0]).toMatchObject({ source: 'wordpress/2', articleId: 'wordpress.2' });
});

it.each([
  ['nothing', '', /is empty: download/],
  ['a page', '<!doctype html><title>Log in</title>', /is not an export of WordPress/],
  ['a feed', '<rss><channel><item><title>x</title></item></channel></rss>', /is not an export of WordPress/],
  ['an export that is cut off', wxr([wxrItem(1), wxrItem(2)]).slice(0, -200), /ends in the middle: download/],
  [
    'an item that is not closed',
    wxr([wxrItem(1).replace('</item>', ''), wxrItem(2)]),
    /<item> is not closed, in the post "Post 1"/,
  ],
  [
    'an element that is not closed',
    wxr([wxrItem(1).replace('</wp:status>', '')]),
    /not well-formed XML: <wp:status> is not closed/,
  ],
  [
    'text whose markup is not escaped',
    wxr([wxrItem(1).replace('<![CDATA[<!--', '<!--').replace('-->]]>', '-->')]),
    /<p> in <content:encoded> is not escaped/,
  ],
  ['an export that is compressed', '\u001f\u008b\u0008\u0000', /is not an export of WordPress/],
  ['text of Ghost', 'posts', /is not JSON/, GHOST],
  ['other JSON', '{"posts":[]}', /is not an export of Ghost/, GHOST],
  ['null', 'null', /is not an export of Ghost/, GHOST],
  ['an export of Ghost without the address of its site', ghostExport([]), /add --url/, { ...GHOST, siteUrl: null }],
])('imports nothing from %s', async (_, text, message, change?: Partial<ExportImportOptions>) => {
  const store = await openMigrated();
  await expect(importing(store, exported(text), change)).rejects.toThrow(message);
  await expect(importing(store, '/nowhere', { ...change, ...GHOST })).rejects.toThrow('/nowhere: does not exist');
  expect(await stored(store)).toEqual([]);
});

it('makes tags of the categories that no section has', async () => {
  const store = await openMigrated();
  const category = (name: string) => `<category domain="category" nicename="${name.toLowerCase()}">${name}</category>`;
  const more = category('World') + category('Gardens') + category('Uncategorized');
  expect(await importing(store, exported(wxr([wxrItem(1, { more })])))).toMatchObject({ added: 1, leftOut: [] });
  expect(await findArticle(store.db, 'wordpress.1')).toMatchObject({ section: 'world', tags: ['Gardens'] });
});

it('reads UTF-16 and control characters', async () => {
  const store = await openMigrated();
  const text = wxr([wxrItem(1, { title: 'Grüße\u000b aus\u0000 Köln' })]);
  for (const bytes of [Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from(text, 'utf16le').swap16()]) {
    expect(await importing(store, exported(bytes))).toMatchObject({ rejectedCount: 0 });
    expect(await findArticle(store.db, 'wordpress.1')).toMatchObject({ headline: 'Grüße aus Köln' });
  }
});

it('leaves out posts for members where the source says so, and counts them', async () => {
  const store = await openMigrated();
  const file = exported(ghostExport([ghostPost(1, { visibility: 'paid' }), ghostPost(2)]));
  const source = { id: 'ghost', sections: {}, kinds: {}, membersOnly: 'skip', url: 'https://times.example' };
  const sources = [{ ...source, use: 'articles' }];
  const report = await importing(store, file, GHOST, { ...config, sources } as unknown as Config);
  expect(report).toMatchObject({ added: 1, leftOut: ['posts for members: 1 not imported'] });
});
