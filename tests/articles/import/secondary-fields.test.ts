import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArticleResult, parseArticles } from '../../../src/articles/import/parse-articles.ts';
import { parseRules } from '../../../src/articles/import/parse-in-thread.ts';
import { ARTICLE_KEYS } from '../../../src/core/config/article-keys.ts';
import { markdown } from '../../support/articles.ts';
import { runs } from '../../support/run-scope.ts';
import { configWith } from '../imports.ts';

/** A wrong one rejects the article: there is none without it, or it would publish what must not be public. */
const PRIMARY = ['headline', 'body', 'format', 'published', 'state', 'embargo', 'note', 'id'];
/** A wrong one is left out. Each field of an article is in one of the lists. */
const SECONDARY = [
  ...['slug', 'url', 'kind', 'kicker', 'topic', 'shortHeadline', 'pinned', 'dek', 'dateInvented', 'updated', 'section'],
  ...['tags', 'bylines', 'fullStory', 'related', 'outlet', 'also', 'byRule', 'eventKey', 'image', 'enclosures'],
  ...['language', 'noteAt'],
];
const PUBLISHED = '2026-11-24 07:30';

async function parse(format: 'markdown' | 'jsonl', text: string, isStrict = false): Promise<ArticleResult> {
  const name = format === 'markdown' ? 'story.md' : 'wire.jsonl';
  const line = format === 'markdown' ? null : 1;
  const texts = [{ name, format, line, text, defaultId: format === 'markdown' ? 'story' : null, isStrict }];
  const [result] = await parseArticles({ rules: parseRules(configWith()), texts });
  return result as ArticleResult;
}

const parseJson = (fields: object, isStrict?: boolean): Promise<ArticleResult> =>
  parse('jsonl', JSON.stringify({ id: 'a', headline: 'H', published: PUBLISHED, ...fields }), isStrict);

it('each field of an article is primary or secondary', () => {
  expect([...PRIMARY, ...SECONDARY].sort()).toEqual([...ARTICLE_KEYS, 'body'].sort());
});

describe('a wrong secondary field', () => {
  const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
  const part = fc.constantFrom(
    'url',
    'title',
    'name',
    'email',
    'role',
    'alt',
    'type',
    'length',
    'published',
    '__proto__',
  );
  const map = fc.dictionary(
    part,
    fc.oneof(scalar, fc.constant('https://times.example/a'), fc.constant('9'.repeat(3_000))),
  );
  const entry = fc.oneof(scalar, map, fc.array(scalar, { maxLength: 3 }));
  const value = fc.oneof(entry, fc.array(entry, { maxLength: 80 }), fc.constant('x'.repeat(3_000)));

  it.each(SECONDARY)('never rejects the article, whatever it is: %s', async (key) => {
    let leftOut = 0;
    await fc.assert(
      fc.asyncProperty(value, async (wrong) => {
        const result = await parseJson({ [key]: wrong });
        expect(result.kind, JSON.stringify(result)).toBe('valid');
        if (result.kind === 'valid') leftOut += result.warnings.length;
      }),
      { numRuns: runs(300) },
    );
    expect(leftOut).toBeGreaterThan(0);
  });

  it.each([
    ['slug: A--b', 'slug "A--b" is left out: must be lower-case letters and digits, joined by single hyphens'],
    ['kicker: "Exclusive:"', 'kicker "Exclusive:" is left out: must not end in a colon: daywire adds one'],
    ['dek: [a]', 'dek is left out: must be text'],
    ['updated: 11/12/2026', /^updated "11\/12\/2026" is left out: can be 2026-11-12 or 2026-12-11: write/],
    ['section: x', 'section "x" is left out: must be one of the sections: business-tech, world'],
    ['kind: news', /^kind "news" is left out: must be one of brief/],
    ['tags: [a, ""]', 'tags[1] "" is left out: must be given'],
    [`tags: [${'a, '.repeat(61)}b]`, 'tags: 12 of 62 are left out: must have at most 50 entries'],
    ['bylines: [{ name: A, role: author }]', 'bylines[0].role "author" is left out: must be reporter or editor'],
    ['bylines: [{ email: a@example.com }]', 'bylines[0] is left out: name must be given'],
    ['bylines: [{ name: A, email: nobody }]', 'bylines[0].email "nobody" is left out: must be an email address'],
    [
      'outlet: { name: A, url: "https://u:p@e.example" }',
      /^outlet.url "https:\/\/u:p@e.example" is left out: must be an/,
    ],
    [`noteAt: ${PUBLISHED}`, 'noteAt is left out: requires a note'],
    ['language: en_US!', /^language "en_US!" is left out: must be a BCP 47 language tag/],
    ['cover: { src: https://e.example/a.png, width: 100% }', 'cover.width "100%" is left out: must be a whole number'],
    [
      'image: { url: https://e.example/a.pdf, type: application/pdf, length: 1 }',
      'image is left out: type must be an image, not application/pdf',
    ],
    [
      'enclosures: [{ url: https://e.example/a.mp3, type: audio/mpeg, length: 1, duration: 1:75 }]',
      'enclosures[0].duration "1:75" is left out: must be in seconds, or such as 1:02:03',
    ],
  ])('is left out with the remedy, and the rest stays: %s', async (keys, expected) => {
    const result = await parse('markdown', markdown(`headline: H\npublished: ${PUBLISHED}\n${keys}\nid: story`));
    const warnings = result.kind === 'valid' ? result.warnings : result.problems;
    const [warning = ''] = warnings.map((one) => one.replace(/^story\.md:\d+: /, ''));
    expect(warnings).toHaveLength(1);
    if (typeof expected === 'string') expect(warning).toBe(expected);
    else expect(warning).toMatch(expected);
  });

  it('rejects what an editor types into a form, where it can be mended at once', async () => {
    expect(await parseJson({ section: 'x' }, true)).toMatchObject({
      kind: 'invalid',
      violations: [{ path: ['section'] }],
    });
  });

  it('leaves the name of an author whose map has only a nick name', async () => {
    const text = markdown(`headline: H\npublished: ${PUBLISHED}\nauthor: { nick: Ann, link: https://ann.example }`);
    expect(await parse('markdown', text)).toMatchObject({ candidate: { bylines: [{ name: 'Ann' }] } });
  });
});

describe('a wrong primary field', () => {
  it.each([
    [['headline'], { headline: ['x'] }],
    [['body'], { body: 7 }],
    [['format'], { format: 'rst' }],
    [['published'], { published: 'soon' }],
    [['state'], { state: 'embargoed' }],
    [['embargo'], { state: 'scheduled', embargo: 'later' }],
    [['note'], { state: 'retracted', note: { text: 'Wrong.' } }],
    [['note'], { note: 'It was wrong.' }],
    [['id'], { id: 'a b' }],
    // Without its credit, another outlet's report would be the newsroom's own.
    [['outlet', 'name'], { kind: 'roundup-item', outlet: { url: 'https://times.example/a' } }],
    [['kind'], { kind: 'Roundup item', outlet: { name: 'Times', url: 'https://times.example/a' } }],
    [['kind'], { kind: 'Roundup item', outlet: { url: 'https://times.example/a' } }],
  ])('rejects the article: %s', async (path, fields) => {
    expect(await parseJson(fields)).toMatchObject({ kind: 'invalid', violations: [{ path }] });
  });
});
