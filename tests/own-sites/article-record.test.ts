import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArticles } from '../../src/articles/import/parse-articles.ts';
import { type RecordRules, repeatsBeginning, toArticleRecord } from '../../src/own-sites/article-record.ts';
import type { SourceItem } from '../../src/sources/source-item.ts';
import { configWith } from '../articles/imports.ts';
import { anyText } from '../support/any-text.ts';
import { sourceItem } from './items.ts';

const { publication, sections } = configWith();

function rulesWith(source: Partial<RecordRules['source']> = {}): RecordRules {
  return { source: { id: 'our-site', sections: {}, kinds: {}, membersOnly: 'teaser', ...source }, sections };
}

const record = (change: Partial<SourceItem>, source: Partial<RecordRules['source']> = {}) =>
  toArticleRecord(sourceItem(change), rulesWith(source));

/** As the import validates it. */
async function imported(change: Partial<SourceItem>) {
  const rules = { publication, sections, paths: {}, sources: [], keys: {} };
  const text = JSON.stringify(record(change));
  const texts = [{ name: 'x', format: 'jsonl' as const, line: 1, text, defaultId: null, isFromSource: true }];
  const [result] = await parseArticles({ rules, texts });
  return result;
}

describe('the article record of a source item', () => {
  it('has an id of the source and the item, and the address where it was published', () => {
    expect(record({})).toEqual({
      id: 'our-site.17',
      headline: 'Solar Roofs Pay',
      slug: null,
      url: 'https://times.example/2026/solar',
      kind: 'brief',
      section: null,
      dek: null,
      body: '<p>One panel in nine stands over asphalt.</p>',
      format: 'html',
      published: '2026-11-24T10:00:00Z',
      updated: null,
      tags: [],
      bylines: [],
      image: null,
      language: null,
    });
  });

  it('has the enclosures of a feed, with a type and a length of 0 where it does not say', () => {
    const file = { url: 'https://cdn.example.com/talk.mp3', type: null, length: null, title: 'The talk' };
    const other = { url: 'https://cdn.example.com/download?id=1', type: null, length: 7, title: null };
    const bad = { ...file, url: 'ftp://cdn.example.com/talk.mp3' };
    expect(record({ enclosures: [file, other, bad] })?.enclosures).toEqual([
      { ...file, type: 'audio/mpeg', length: 0 },
      { ...other, type: 'application/octet-stream' },
    ]);
    expect(record({ enclosures: [file], isForMembers: true })?.enclosures).toBeUndefined();
  });

  it('has the section of the first category that is mapped, or is a section by id, title or slug', () => {
    const categories = ['News', 'Markets', 'World'].map((name) => ({ name, slug: null }));
    expect(record({ categories }, { sections: { markets: 'business-tech' } })?.section).toBe('business-tech');
    expect(record({ categories })?.section).toBe('world');
    expect(record({ categories: [{ name: 'Wirtschaft', slug: 'business-tech' }] })?.section).toBe('business-tech');
    expect(record({ categories: [{ name: 'Misc', slug: 'misc' }] }, { section: 'world' })?.section).toBe('world');
  });

  it('has tags of the categories that no section has, each name once', () => {
    const named = (...names: string[]) => names.map((name) => ({ name, slug: null }));
    const categories = named('World', 'Business & Tech', 'Gardens', 'SOLAR', 'Uncategorized');
    expect(record({ categories, tags: ['Solar'] })?.tags).toEqual(['Solar', 'Gardens']);
    expect(record({ categories: named('Business\u00a0& Tech') })).toMatchObject({ section: 'business-tech', tags: [] });
  });

  it('has the kind of the first category or tag that is mapped', () => {
    const opinion = { kinds: { Opinion: 'analysis' as const } };
    expect(record({ categories: [{ name: 'opinion', slug: null }] }, opinion)?.kind).toBe('analysis');
    expect(record({ tags: ['Opinion'] }, opinion)?.kind).toBe('analysis');
  });

  it('leaves out a dek that only repeats the beginning of the body', () => {
    const html = '<p>One panel in <b>nine</b> stands over asphalt.</p><p>More.</p>';
    expect(record({ html, dek: 'One panel in nine stands […]' })?.dek).toBeNull();
    expect(record({ html, dek: 'One panel in nine … Continue reading Solar' })?.dek).toBeNull();
    expect(record({ html, dek: 'Car parks become power plants.' })?.dek).toBe('Car parks become power plants.');
    expect(repeatsBeginning('…', html)).toBe(false);
  });

  it('of a story for members is its beginning with a link to all of it, or nothing', () => {
    const html = `<p>${'Open words. '.repeat(100)}</p>`;
    const teaser = record({ html, isForMembers: true });
    expect(teaser?.fullStory).toEqual({ url: 'https://times.example/2026/solar', title: 'Solar Roofs Pay' });
    expect(String(teaser?.body).length).toBeLessThan(450);
    expect(record({ html, dek: 'The dek.', isForMembers: true })).toMatchObject({ body: '<p>The dek.</p>', dek: null });
    expect(record({ isForMembers: true }, { membersOnly: 'skip' })).toBeNull();
  });

  it('keeps a slug, or makes one of letters that slugs may have', () => {
    expect(record({ slug: 'solar-roofs' })?.slug).toBe('solar-roofs');
    expect(record({ slug: 'Solar_Roofs' })?.slug).toBe('solar-roofs');
    expect(record({ slug: '太陽' })?.slug).toBeNull();
  });

  it.each([
    ['<p>&nbsp;</p>', []],
    ['<hr>', []],
    ['<canvas>No picture.</canvas>', ['<canvas>']],
    ['<img src="data:image/png;base64,AA">', ['an image without an http or https address']],
    ['<img src="http://localhost/a.png">', ['an image at the private address localhost']],
  ])('is accepted without a body where nothing of it would be displayed: %s', async (html, removed) => {
    const warnings = removed.map((what) => `x:1: removed from the body: ${what}`);
    expect(await imported({ html })).toMatchObject({ kind: 'valid', candidate: { bodyHtml: '' }, warnings });
  });

  it('is accepted by the import whatever the source says', async () => {
    const text = fc.oneof(anyText(100), fc.string({ minLength: 0, maxLength: 3_000 }));
    const pieces = ['<p>', '</p>', '<hr>', '<img ', '<a ', 'href="', 'src="', 'data-src="', '" ', '>', '</a>'];
    const odd = ['javascript:', 'http://localhost/', '/a.png', '<canvas>', '</canvas>', '\ufdd0', '&nbsp;'];
    const piece = fc.oneof(anyText(3), fc.constantFrom(...pieces, ...odd));
    const markup = fc.array(piece, { maxLength: 12 }).map((some) => some.join(''));
    const item = fc.record({
      headline: text,
      dek: fc.option(text),
      slug: fc.option(text),
      url: fc.option(fc.oneof(text, fc.webUrl())),
      html: fc.option(fc.oneof(text, markup)),
      baseUrl: fc.option(fc.oneof(text, fc.webUrl())),
      authors: fc.array(text, { maxLength: 40 }),
      categories: fc.array(fc.record({ name: text, slug: fc.option(text) }), { maxLength: 3 }),
      tags: fc.array(text, { maxLength: 60 }),
      enclosures: fc.array(
        fc.record({
          url: fc.oneof(text, fc.webUrl()),
          type: fc.constantFrom(null, 'audio/mpeg'),
          length: fc.option(fc.nat()),
          title: fc.option(text),
        }),
        { maxLength: 25 },
      ),
      isForMembers: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(item, async (change) => {
        expect(await imported(change)).toMatchObject({ kind: 'valid' });
      }),
      { numRuns: 100 },
    );
  });
});
