import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closestName } from '../../../src/lib/names/closest-name.ts';

const KEYS = ['headline', 'shortHeadline', 'dek', 'tags', 'bylines', 'published'];

describe('closestName', () => {
  it.each([
    ['Headline', 'headline'],
    ['headine', 'headline'],
    ['haedline', 'headline'],
    ['short_headline', 'shortHeadline'],
    ['byline', 'bylines'],
    ['tag', 'tags'],
    ['dke', 'dek'],
    ['pubished-', 'published'],
    ['publish', 'published'],
    ['headl', 'headline'],
  ])('finds what %s was meant to be', (written, meant) => {
    expect(closestName(written, KEYS)).toBe(meant);
  });

  it.each(['', 'x', 'weather', 'public', 'tango', 'by', 'layout', 'headline'.repeat(1_000)])(
    'suggests nothing for "%s"',
    (written) => {
      expect(closestName(written, KEYS)).toBeNull();
    },
  );

  it('finds a name with one wrong letter, and never throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS.filter((key) => key.length > 3)), fc.nat(), fc.string(), (key, at, junk) => {
        const place = at % key.length;
        expect(closestName(`${key.slice(0, place)}x${key.slice(place + 1)}`, KEYS)).toBe(key);
        closestName(junk, KEYS);
      }),
    );
  });
});
