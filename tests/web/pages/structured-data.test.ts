import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLd } from '../../../src/web/pages/structured-data.ts';
import { runs } from '../../support/run-scope.ts';

const HOSTILE = [
  '</script>',
  '<!--<script>',
  ']]>',
  '\u2028',
  '\u2029',
  '&lt;',
  '\u0000',
  '\ud800',
  '"}',
  '\\u003c/script>',
];

describe('structured data', () => {
  it('is JSON that says the same, and has no character that could end its element', () => {
    const words = fc
      .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' })))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.dictionary(words, fc.oneof(words, fc.array(words))), (object) => {
        const json = jsonLd([object]);
        expect(json).not.toMatch(/[<>&\u2028\u2029]/);
        expect(JSON.parse(json)).toEqual({
          '@context': 'https://schema.org',
          '@graph': [JSON.parse(JSON.stringify(object))],
        });
      }),
      { numRuns: runs(200) },
    );
  });
});
