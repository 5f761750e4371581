import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benchArticle } from '../../bench/import.ts';
import { documentJson, encodeDocument, toArticle } from '../../src/articles/stored-document.ts';
import { article } from '../support/articles.ts';

describe('a stored article', () => {
  it('is read as it was encoded, whatever text it has', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 }).map((s) => s.toWellFormed());
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 3_000 }), (headline, body, times) => {
        const original = article('a', { headline, bodyHtml: body.repeat(times), tags: [body] });
        const encoded = encodeDocument(original);
        expect(toArticle(encoded)).toEqual(original);
        expect(encoded.json_bytes).toBe(Buffer.byteLength(documentJson(encoded)));
      }),
      { numRuns: 50 },
    );
  });

  it('that is long, or compresses a thousandfold, is read as it was encoded', () => {
    for (const bodyHtml of ['x'.repeat(1_000_000), Array.from({ length: 60_000 }, (_, n) => n * n).join(' ')]) {
      const original = article('a', { bodyHtml });
      expect(toArticle(encodeDocument(original))).toEqual(original);
    }
  });

  it('takes less than a quarter of its JSON', () => {
    const { body } = benchArticle(1) as { body: string };
    const paragraphs = body.split('\n\n').map((paragraph) => `<p>${paragraph}</p>`);
    const original = article('a', { body: { format: 'markdown', source: body }, bodyHtml: paragraphs.join('\n') });
    const { document, json_bytes } = encodeDocument(original);
    expect(document.length).toBeLessThan(json_bytes / 4);
  });

  it('is read as the first version that compressed stored it: the dictionary may never change', () => {
    expect(toArticle({ document: Buffer.from(FIRST_VERSION, 'base64') })).toEqual(
      article('first', { tags: ['Chips'] }),
    );
  });

  it('throws if it is damaged', () => {
    const { document } = encodeDocument(article('a'));
    for (const damaged of [document.slice(0, -20), document.map((byte) => byte ^ 0x55), new Uint8Array(0)]) {
      expect(() => toArticle({ document: damaged })).toThrow();
    }
  });
});

/** `article('first', { tags: ['Chips'] })`. */
const FIRST_VERSION =
  'gyaVtMyi4hJ0O1MrEnMLclL1kvNzdYwMjMwQDoAphyYvGJfSJAZLWqCSAWYm8WnOJTUbrlEPT4zAo8GmwM4pP6USoQkc8BjxgkUNevibW5qaGloY' +
  'gAFqXKDKIPJEUmkxKBcU65akJmcgZRDnjMyCYqVY5GyCP6nH0ig9E5+EAA==';
