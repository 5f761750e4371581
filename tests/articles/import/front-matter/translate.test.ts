import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsSchema } from '../../../../src/articles/import/fields.ts';
import { type TranslationRules, translateKeys } from '../../../../src/articles/import/front-matter/translate.ts';
import { ARTICLE_KEYS } from '../../../../src/core/config/article-keys.ts';
import { processorTime } from '../../../support/processor-time.ts';
import { configWith } from '../../imports.ts';

const SECTIONS = [
  { id: 'business-tech', title: 'Business & Tech' },
  { id: 'world', title: 'World' },
];

function translate(written: Record<string, unknown>, keys: TranslationRules['keys'] = {}) {
  return translateKeys(written, { sections: SECTIONS, keys });
}

/** What becomes of front matter, without what is written about it. */
function fieldsOf(written: Record<string, unknown>): Record<string, unknown> {
  const { fields, warnings, notices } = translate(written);
  expect([...warnings, ...notices]).toEqual([]);
  return fields;
}

function textsOf(written: Record<string, unknown>, keys?: TranslationRules['keys']): string[] {
  const { warnings, notices } = translate(written, keys);
  return [...warnings, ...notices].map(({ text }) => text);
}

describe('the names of keys', () => {
  it.each([
    ['bylines', { name: 'Ann', role: 'editor', email: 'a@example.com' }],
    ['related', { url: '/a', title: 'A' }],
    ['enclosures', { url: '/a', type: 't', length: 1, title: 'A' }],
    ['also', { name: 'O', url: 'https://o.example' }],
    ['image', { url: '/a', alt: '', credit: null, type: 't', length: 1, width: 1, height: 1 }],
    ['outlet', { name: 'O', url: '', published: '2026-11-24 08:15' }],
    ['fullStory', { url: '/a', title: 'A' }],
  ])('in a map of %s may be written in capital letters, and mean the same', (key, parts) => {
    const isList = ['bylines', 'related', 'enclosures', 'also'].includes(key);
    const inCapitals = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name.toUpperCase(), value]));
    const read = (map: object) => fieldsOf({ id: 'a', [key]: isList ? [map] : map })[key];
    expect(read(parts)).toEqual(isList ? [parts] : parts);
    expect(read(inCapitals)).toEqual(read(parts));
  });

  it('do not change what was written', () => {
    const image = { url: '/a', alt: '' };
    expect(fieldsOf({ image, image_alt: 'A' })).toEqual({ image: { url: '/a', alt: 'A' } });
    expect(image).toEqual({ url: '/a', alt: '' });
  });

  it('are those of site generators and content management systems', () => {
    const written = {
      ...{ Title: 'T', description: 'D', date: '2026-11-24', lastmod: '2026-11-25', lang: 'en_US', slug: 'a' },
      ...{ category: 'World', canonical_url: 'https://times.example/a' },
    };
    expect(fieldsOf(written)).toEqual({
      ...{ headline: 'T', dek: 'D', published: '2026-11-24', updated: '2026-11-25', language: 'en-US', slug: 'a' },
      ...{ section: 'World', url: 'https://times.example/a' },
    });
  });

  it('are daywire’s own, all of them, and their values stay as they are', () => {
    expect(Object.keys(fieldsSchema(configWith()).shape).sort()).toEqual([...ARTICLE_KEYS].sort());
    const values = {
      tags: ['a'],
      bylines: [{ name: 'Ann', role: 'editor', email: 'a@example.com' }],
      state: 'published',
    };
    const own = { ...Object.fromEntries(ARTICLE_KEYS.map((key) => [key, 'x'])), ...values };
    const parts = {
      related: [{ url: '/a', title: 'A' }],
      enclosures: [{ url: '/a', type: 't', length: 1, title: 'A' }],
    };
    const link = { url: '/a', title: 'A' };
    const also = [{ name: 'O', url: 'https://o.example' }];
    const outlet = { name: 'O', url: 'https://o.example', published: '2026-11-24 08:15' };
    const image = { url: '/a', alt: 'A', credit: 'C', type: 't', length: 1, width: 1, height: 1 };
    const written = { ...own, ...parts, fullStory: link, outlet, also, image };
    expect(fieldsOf(written)).toEqual(written);
  });

  it('may be written in any case, with hyphens and underscores', () => {
    expect(fieldsOf({ ID: 'a', HEADLINE: 'H', short_headline: 'S', 'event-key': 'E' })).toEqual({
      id: 'a',
      headline: 'H',
      shortHeadline: 'S',
      eventKey: 'E',
    });
  });

  it('prefer daywire’s own, and say so where another one differs', () => {
    const { fields, warnings } = translate({ title: 'T', headline: 'H' });
    expect(fields).toEqual({ headline: 'H' });
    expect(warnings).toEqual([{ path: ['title'], text: 'title is left out: headline is used' }]);
    expect(fieldsOf({ title: 'H', headline: 'H', dek: '', summary: 'S' })).toEqual({ headline: 'H', dek: 'S' });
  });

  it('can be added in the configuration, which can also leave a key out', () => {
    const { fields, notices, ignored } = translate(
      { rubrik: 'World', mood: 'grim' },
      { Rubrik: 'section', mood: 'ignore' },
    );
    expect(fields).toEqual({ section: 'World' });
    expect(notices).toEqual([]);
    expect(ignored).toEqual(['mood']);
  });

  it('that themes use in their own way count beside an id, in JSON Lines, or if the configuration names them', () => {
    const theme = { title: 'T', note: 'Photo: Ann Lee', kind: 'video', format: 'link', state: 'CA', pinned: 'true' };
    const { fields, notices } = translate(theme);
    expect(fields).toEqual({ headline: 'T' });
    expect(notices).toHaveLength(5);
    expect(notices[0]).toEqual({
      path: ['note'],
      text: 'note is left out: it counts only beside an id, or with import.keys: { note: note } in the configuration',
    });
    expect(fieldsOf({ ...theme, id: 'a' })).toEqual({ ...fields, ...theme, title: undefined, id: 'a', state: 'ca' });
    expect(translate(theme, { note: 'note', Kind: 'ignore' })).toMatchObject({
      fields: { headline: 'T', note: 'Photo: Ann Lee' },
      notices: [{ path: ['format'] }, { path: ['state'] }, { path: ['pinned'] }],
    });
    const rules = { sections: SECTIONS, keys: {}, isOwnFormat: true };
    expect(translateKeys({ headline: 'AT&amp;T', note: 'N' }, rules)).toMatchObject({
      fields: { headline: 'AT&amp;T', note: 'N' },
      notices: [],
    });
  });

  it('of a draft and of a correction count without an id', () => {
    expect(fieldsOf({ state: 'draft' })).toEqual({ state: 'draft' });
    expect(fieldsOf({ state: 'draftt' })).toEqual({ state: 'draftt' });
    expect(fieldsOf({ state: 'corrected', note: 'N', noteAt: '2026-11-24 08:15' })).toEqual({
      ...{ state: 'corrected', note: 'N', noteAt: '2026-11-24 08:15' },
    });
  });

  it('that are unknown are left out, with what was meant', () => {
    expect(textsOf({ headlin: 'H', mood: 'grim', layout: 'post', __proto__: null })).toEqual([
      'the key headlin is unknown and left out: did you mean headline?',
      'the key mood is unknown and left out (import.keys can say what it means)',
    ]);
    expect(textsOf({ bylines: [{ name: 'A', phone: 1 }, { nam: 'B' }], image: { url: '/a', class: 'x' } })).toEqual([
      'the key image.class is unknown and left out (import.keys can say what it means)',
      'the key bylines.phone is unknown and left out (import.keys can say what it means)',
      'the key bylines.nam is unknown and left out: did you mean bylines.name?',
    ]);
    expect(translate({ layout: 'post', toc: 'true' }).ignored).toEqual(['layout', 'toc']);
  });

  it('keep their places in the file', () => {
    const { writtenPath } = translate({ title: 'T', authors: ['Ann'], cover: '/a.jpg' });
    expect(writtenPath(['headline'])).toEqual(['title']);
    expect(writtenPath(['bylines', 0, 'name'])).toEqual(['authors', 0, 'name']);
    expect(writtenPath(['image', 'url'])).toEqual(['cover', 'url']);
    expect(writtenPath(['note'])).toEqual(['note']);
  });
});

describe('the values', () => {
  it.each([
    ['Ann Lee', [{ name: 'Ann Lee' }]],
    ['By Ann Lee and Bob Ray', [{ name: 'Ann Lee' }, { name: 'Bob Ray' }]],
    ['Ann Lee, Bob Ray', [{ name: 'Ann Lee' }, { name: 'Bob Ray' }]],
    ['Lee, Ann', [{ name: 'Lee, Ann' }]],
    ['Ann Lee, Chief Executive of Roofs', [{ name: 'Ann Lee, Chief Executive of Roofs' }]],
    ['Ann Lee <ann@example.com>', [{ name: 'Ann Lee', email: 'ann@example.com' }]],
    [
      ['Ann Lee', { name: 'Bob' }],
      [{ name: 'Ann Lee' }, { name: 'Bob' }],
    ],
    [{ name: 'Ann Lee', email: 'a@example.com' }, [{ name: 'Ann Lee', email: 'a@example.com' }]],
    ['', []],
    [['Ann Lee, Bob Ray'], [{ name: 'Ann Lee' }, { name: 'Bob Ray' }]],
    [
      ['Lee, Ann', 'Bob'],
      [{ name: 'Lee, Ann' }, { name: 'Bob' }],
    ],
    [[null, '<a href="/who">Ann Lee</a>', ''], [{ name: 'Ann Lee' }]],
    ['[Ann Lee](https://ann.example), Roof Works', [{ name: 'Ann Lee' }, { name: 'Roof Works' }]],
    ['Ann Lee [photos]', [{ name: 'Ann Lee [photos]' }]],
  ])('of bylines are text, a list or maps: %j', (author, bylines) => {
    expect(fieldsOf({ author })).toEqual({ bylines });
  });

  it.each([
    ['ann', ['Ann Lee']],
    ['ann, bob', ['Ann Lee', 'Bob Ray']],
    ['ann, Cem Aydin', ['Ann Lee', 'Cem Aydin']],
    ['ann, carla', ['ann, carla']],
    [
      ['@ann', 'carla'],
      ['Ann Lee', 'carla'],
    ],
    [{ login: 'bob' }, ['Bob Ray']],
    ['constructor', ['constructor']],
  ])('of bylines may be logins of the site’s authors: %j', (author, names) => {
    const authors = { ann: 'Ann Lee', bob: 'Bob Ray' };
    const { fields } = translateKeys({ author }, { sections: SECTIONS, keys: {}, authors });
    expect(fields).toEqual({ bylines: names.map((name) => ({ name })) });
  });

  it.each([
    ['I&#8217;m Here', 'I’m Here'],
    ['AT&amp;T &hellip; and Vec<T>', 'AT&T … and Vec<T>'],
    ['Write &amp;lt; for <', 'Write &lt; for <'],
    ['<em>A</em> &lt; <a href="/b">B</a>', 'A < B'],
    ['R&D; &copy 2026 &unknown; &amp', 'R&D; &copy 2026 &unknown; &amp'],
  ])('of texts have their entities decoded, once: %s', (written, text) => {
    expect(fieldsOf({ title: written, description: written })).toEqual({ headline: text, dek: text });
  });

  it.each([
    ['solar, energy', ['solar', 'energy']],
    ['climate change', ['climate change']],
    ['#solar, “energy”,', ['solar', 'energy']],
    [
      ['“a”', 5, '#b'],
      ['a', '5', 'b'],
    ],
    [null, []],
  ])('of tags are text or a list: %j', (tags, expected) => {
    expect(fieldsOf({ tags })).toEqual({ tags: expected });
  });

  it('of categories are the section that they name first, and tags', () => {
    expect(fieldsOf({ categories: ['Markets', 'world', 'business-tech'], tags: ['a'] })).toEqual({
      section: 'world',
      tags: ['a', 'Markets', 'business-tech'],
    });
    expect(textsOf({ category: 'Markets' })).toEqual(['category "Markets" is not a section, and became a tag']);
    expect(fieldsOf({ section: 'Sport', categories: ['World'] })).toEqual({ section: 'Sport', tags: ['World'] });
    expect(fieldsOf({ taxonomies: { tags: ['a'], categories: ['World'] } })).toEqual({ section: 'World', tags: ['a'] });
  });

  it.each([
    [{ draft: 'true' }, { state: 'draft' }],
    [{ draft: true }, { state: 'draft' }],
    [{ draft: 'false' }, {}],
    [{ draft: '' }, {}],
    [
      { published: 'false', date: '2026-11-24' },
      { state: 'draft', published: '2026-11-24' },
    ],
    [{ published: true }, {}],
    [
      { publish: 'no', date: '2026-11-24' },
      { state: 'draft', published: '2026-11-24' },
    ],
    [{ private: 'true' }, { state: 'draft' }],
    [{ state: 'Published', draft: 'true' }, { state: 'published' }],
    [{ state: 'publish' }, { state: 'published' }],
    [{ state: 'private' }, { state: 'draft' }],
    [{ status: 'hidden' }, { state: 'draft' }],
    [{ status: 'skip' }, { state: 'draft' }],
    [{ status: 'pending' }, { state: 'draft' }],
    [{ status: 'trash' }, { state: 'draft' }],
  ])('of draft become a state: %j', (written, fields) => {
    expect(fieldsOf(written)).toEqual(fields);
  });

  it('of draft keep an article unpublished unless they are false', () => {
    const { fields, warnings } = translate({ draft: 'perhaps' });
    expect(fields).toEqual({ state: 'draft' });
    expect(warnings.map(({ text }) => text)).toEqual(['draft is neither true nor false: it is a draft']);
  });

  it.each([
    [
      { image: '/media/a.jpg', image_alt: 'A roof', imageCredit: 'Ann' },
      { url: '/media/a.jpg', alt: 'A roof', credit: 'Ann' },
    ],
    [{ image: { src: '/a.jpg', altText: 'A roof' } }, { url: '/a.jpg', alt: 'A roof' }],
    [{ images: ['/a.jpg', '/b.jpg'] }, { url: '/a.jpg' }],
    [{ thumbnail: '/small.jpg', featured_image: '/large.jpg' }, { url: '/large.jpg' }],
    [{ cover: { image: '/a.jpg', alt: 'A' } }, { url: '/a.jpg', alt: 'A' }],
    [{ cover: { alt: 'A' } }, null],
    [{ image: '' }, null],
    [{ image: 'false' }, null],
    [{ image: false }, null],
    [{ cover: 'No' }, null],
    [{ image: {} }, null],
    [{ images: [] }, null],
  ])('of an image are text or a map: %j', (written, image) => {
    expect(fieldsOf(written)).toEqual({ image });
  });

  it.each([
    [{ source: 'Reuters' }, { name: 'Reuters' }],
    [
      { source: 'Reuters', source_url: 'https://r.example/1' },
      { name: 'Reuters', url: 'https://r.example/1' },
    ],
    [{ source: 'https://www.r.example/1' }, { name: 'r.example', url: 'https://www.r.example/1' }],
    [
      { source: { title: 'Reuters', link: 'https://r.example', date: '2026-11-24' } },
      { name: 'Reuters', url: 'https://r.example', published: '2026-11-24' },
    ],
  ])('of an outlet are text or a map: %j', (written, outlet) => {
    expect(fieldsOf(written)).toEqual({ outlet });
  });

  it.each([
    ['Reuters', [{ name: 'Reuters' }]],
    ['', []],
    [
      ['Reuters', 'https://www.r.example/1'],
      [{ name: 'Reuters' }, { name: 'r.example', url: 'https://www.r.example/1' }],
    ],
    [[{ outlet: 'Reuters', link: 'https://r.example' }], [{ name: 'Reuters', url: 'https://r.example' }]],
    [{ name: 'Reuters', url: 'https://r.example' }, [{ name: 'Reuters', url: 'https://r.example' }]],
  ])('of further outlets are a list of names, addresses or maps: %j', (written, also) => {
    expect(fieldsOf({ id: 'a', also: written })).toEqual({ id: 'a', also });
  });

  it('of a permalink count only if they are a whole address', () => {
    expect(fieldsOf({ permalink: 'https://times.example/a' })).toEqual({ url: 'https://times.example/a' });
    expect(textsOf({ permalink: '/:year/:title/' })).toEqual([
      'permalink is left out: only a whole address counts, such as https://times.example/story',
    ]);
  });

  it('of audio are enclosures, with the type of the name and the duration beside them', () => {
    const talk = { url: '/media/talk.mp3', type: 'audio/mpeg', length: 0 };
    expect(fieldsOf({ audio: '/media/talk.mp3' })).toEqual({ enclosures: [talk] });
    expect(fieldsOf({ podcast_file: 'https://cdn.example/a.m4a?x=1', duration: '30:30' })).toEqual({
      enclosures: [{ url: 'https://cdn.example/a.m4a?x=1', type: 'audio/mp4', length: 0, duration: '30:30' }],
    });
    const parts = { href: 'https://cdn.example/b', type: 'audio/mpeg', bytes: '1000', duration: 90, title: 'Talk' };
    expect(fieldsOf({ audio: parts, duration: '1:00' })).toEqual({
      enclosures: [{ url: parts.href, type: 'audio/mpeg', length: 1000, title: 'Talk', duration: '90' }],
    });
    expect(fieldsOf({ podcast: { mp3: '/media/talk.mp3' }, duration: 1830 })).toEqual({
      enclosures: [{ ...talk, duration: '1830' }],
    });
    expect(fieldsOf({ audio: '/media/talk.mp3', duration: '1:99' })).toEqual({ enclosures: [talk] });
    const several = ['/media/talk.mp3', { src: '/media/film.mp4' }];
    expect(fieldsOf({ id: 'a', audio: several, duration: 'half an hour' })).toEqual({
      id: 'a',
      enclosures: [talk, { url: '/media/film.mp4', type: 'video/mp4', length: 0 }],
    });
    const own = [{ url: '/media/b.mp3', duration: 90 }];
    expect(fieldsOf({ id: 'a', enclosures: own, enclosure: '/media/talk.mp3' })).toEqual({ id: 'a', enclosures: own });
    for (const none of ['', null, 'false', false, {}]) expect(fieldsOf({ audio: none })).toEqual({});
  });

  it('of audio that name no file of audio are left out, and say so', () => {
    const deep = JSON.parse(`${'[{"url":'.repeat(2_000)}1${'}]'.repeat(2_000)}`);
    for (const none of [
      'The Meridian Hour',
      'talk.mp3',
      '/audio/talk.mp3',
      '/media/a.jpg',
      'ftp://a.example/b.mp3',
      deep,
    ]) {
      expect(translate({ podcast: none }).fields).toEqual({});
      expect(textsOf({ podcast: none })).toEqual([
        'podcast is left out: only audio or video counts, below /media/ or https://',
      ]);
    }
    expect(textsOf({ duration: '30:30' })).toEqual([]);
  });

  it('lose typographic quotation marks, except in texts', () => {
    expect(fieldsOf({ headline: '“We Will Rebuild”', state: '“draft”', published: '”2026-11-24”' })).toEqual({
      headline: '“We Will Rebuild”',
      state: 'draft',
      published: '2026-11-24',
    });
  });
});

describe('any front matter', () => {
  it('is translated into keys of daywire, without an error', () => {
    const names = ['title', 'date', 'author', 'categories', 'tags', 'image', 'source', 'draft', 'permalink', 'state'];
    const key = fc.oneof(fc.constantFrom(...names, ...ARTICLE_KEYS), fc.string());
    fc.assert(
      fc.property(fc.dictionary(key, fc.anything({ maxDepth: 3 })), (written) => {
        const { fields } = translate(written);
        expect(Object.keys(fields).filter((name) => !ARTICLE_KEYS.includes(name as 'id'))).toEqual([]);
      }),
    );
  });

  it('of many keys takes no more than a moment', () => {
    const long = { ['x'.repeat(100_000)]: 1, author: 'a and '.repeat(10_000), tags: ','.repeat(64_000) };
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key${index}`, { a: 1 }]));
    const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as unknown;
    const all = { ...long, ...many, title: deep, headline: deep, image: many };
    expect(processorTime(() => void translate(all))).toBeLessThan(1_000);
  });
});
