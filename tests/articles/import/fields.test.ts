import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldsReader, fieldsSchema } from '../../../src/articles/import/fields.ts';
import { ARTICLE_KEYS } from '../../../src/core/config/article-keys.ts';
import { configWith } from '../imports.ts';

describe('fieldsReader', () => {
  const schema = fieldsSchema(configWith());
  const readFields = fieldsReader(schema);

  it.each(Object.entries(schema.shape))('compiles the schema of %s', (_, one) => {
    expect(() => z.compile(one, { strict: true })).not.toThrow();
  });

  it('reads what the schema as a whole reads, and finds the same wrong', () => {
    const value = fc.oneof(
      fc.constantFrom(null, '', ' a ', 'a\n b', 'true', 'published', 'html', '2026-11-24', '/path', 'en', true, 3, -1),
      fc.constantFrom<unknown>(
        [],
        ['a', ' a'],
        [{ name: 'A' }],
        [{ name: 'A', url: '/a', other: 1 }],
        {},
        { url: '/a' },
      ),
      fc.constantFrom<unknown>(
        { url: '/a.jpg', alt: '', credit: ' C ', type: 'Image/JPEG', length: '12', width: 3, height: undefined },
        [{ url: 'https://example.com/a.mp3', type: 'audio/mpeg', length: 3, title: 'A' }],
        [
          { name: 'A', email: 'a@example.com', role: 'editor' },
          { name: 'B', email: 'no' },
        ],
        { name: 'A', url: 'https://example.com/', published: '2026-11-24 08:15' },
        JSON.parse('{"name":"A","__proto__":{"url":"/a"}}'),
      ),
      fc.constantFrom<unknown>({ url: '/a', title: 'A' }, { name: 'A', url: 'x:y', published: '2026' }, [[1]], [null]),
    );
    const records = fc.dictionary(fc.constantFrom<string>(...ARTICLE_KEYS, 'other', 'toString'), value);
    fc.assert(
      fc.property(records, fc.boolean(), (some, isNamed) => {
        const written = isNamed ? { ...some, id: 'a', headline: 'A' } : some;
        const { success, data, error } = schema.safeParse(written);
        const read = readFields(written);
        if (success) {
          expect(read).toEqual({ kind: 'valid', fields: data });
          return;
        }
        const issues = error.issues.map(({ code, path, message }) => ({ code, path, message }));
        const found = read.kind === 'invalid' ? read.issues : [];
        const unknown = (code: string) => code === 'unrecognized_keys';
        expect(found.map(({ code, path }) => ({ code, path }))).toEqual(
          issues.map(({ code, path }) => ({ code, path })),
        );
        expect(found.filter(({ code }) => !unknown(code)).map(({ message }) => message)).toEqual(
          issues.filter(({ code }) => !unknown(code)).map(({ message }) => message),
        );
      }),
      { numRuns: 300 },
    );
  });
});
