import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type ArticleDefaults,
  toPattern,
  withDefaults,
  withOwnSlug,
} from '../../../../src/articles/import/files/defaults.ts';
import { parseJsonLine, translateRecord } from '../../../../src/articles/import/parse.ts';
import { SLUG } from '../../../../src/articles/slug.ts';

const PATTERN = 'https://times.example/blog/:year/:i_month/:y_day/:categories/:path/:slugortitle/:slug/';

it('gives any article an address below its site or none, and a slug of ours or none', () => {
  const text = fc.string({ unit: 'binary' });
  const values = fc.record(
    {
      headline: text,
      slug: fc.oneof(text, fc.constantFrom('Über_Uns', 'a/b', '%41?#', '../..')),
      permalink: fc.oneof(
        text,
        fc.constantFrom('/:year/:title', 'pretty', '/a/{{ x }}', 'a/b.html', '//evil.example/'),
      ),
      published: fc.oneof(text, fc.constantFrom('2024-03-01', '2024-03-01 23:00 -0800')),
      categories: fc.oneof(text, fc.array(text)),
    },
    { requiredKeys: [] },
  );
  const forms = fc.constantFrom('plain', 'hugo', 'hugoCased', 'jekyll', 'astro');
  fc.assert(
    fc.property(values, text, forms, (written, name, form) => {
      const address = {
        ...{ pattern: PATTERN, siteUrl: 'https://times.example/blog', name, folders: [name], categories: [name] },
        ...{ form, zone: 'America/Los_Angeles' },
      } as ArticleDefaults['address'];
      const parsed = parseJsonLine(JSON.stringify(written), 1);
      const translated = translateRecord(parsed, { sections: [], keys: {} });
      const record = withOwnSlug(withDefaults(translated, parsed, { fields: {}, address }));
      if (record.kind === 'broken') throw new Error('the record is one');
      const { url, slug } = record.fields;
      if (url != null) expect(new URL(String(url)).href).toMatch(/^https:\/\/times\.example\//);
      if (slug != null) expect(slug).toMatch(SLUG);
    }),
  );
});

it('reads a pattern of known places alone', () => {
  expect(toPattern('/:year/:slug')).toBe('/:year/:slug');
  expect(toPattern(':year/:slug')).toBe('/:year/:slug');
  for (const path of ['/news/', '/:yearly/', '/:year/:what/', '/{{ x }}/:year', 'https://x.example/:year', null]) {
    expect(toPattern(path)).toBeNull();
  }
});
