import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { type OutletEntry, readEntries, readEntry, type UsableEntry } from '../../../src/outlets/items/usable-entry.ts';
import { anyText } from '../../support/any-text.ts';
import { NOW } from '../../support/clock.ts';

const ENTRY: OutletEntry = {
  ...{ guid: 'urn:1', isPermaLink: false, link: 'https://outlet.example/report', title: 'A report', summary: null },
  ...{ publishedAt: NOW - HOUR, language: 'en', imageUrl: null },
};
const read = (change: Partial<OutletEntry>): UsableEntry => {
  const entry = readEntry({ ...ENTRY, ...change }, NOW);
  if (typeof entry === 'string') throw new Error(entry);
  return entry;
};

describe('readEntry', () => {
  it('bounds texts, between characters', () => {
    const title = read({ title: '😀'.repeat(400) }).title;
    expect([title.length <= 300, title.isWellFormed(), title.endsWith('😀…')]).toEqual([true, true, true]);
    expect(read({ summary: 'word '.repeat(400) }).summary).toMatch(/^(?:word ){98,}word…$/);
  });

  it('keeps no summary that says what the title says', () => {
    expect(read({ summary: '“A Report.”' }).summary).toBeNull();
    expect(read({ summary: 'More of it' }).summary).toBe('More of it');
  });

  it.each<[string, number | null, number | null, number | null]>([
    ['a usual one', NOW - HOUR, NOW - HOUR, NOW - HOUR],
    ['none', null, null, null],
    ['one of a clock that is ahead', NOW + 10 * MINUTE, NOW + 10 * MINUTE, NOW],
    ['one of a wrong zone', NOW + 8 * HOUR, null, NOW],
    ['one of the far future', NOW + 3 * DAY, null, null],
    ['one before the web', 0, null, null],
  ])('reads a date: %s', (_what, written, publishedAt, reportedAt) => {
    expect(read({ publishedAt: written })).toMatchObject({ publishedAt, reportedAt });
  });

  it('gives clean, bounded texts and web addresses, or says what is missing, whatever an outlet writes', () => {
    const text = fc.option(fc.oneof(anyText(20), fc.constantFrom('https://a.example/', 'javascript:x', ' ', '\u202e')));
    const entries = fc.record({
      ...{ guid: text, isPermaLink: fc.boolean(), link: text, title: text, summary: text, language: text },
      ...{ imageUrl: text, publishedAt: fc.option(fc.double({ noNaN: true })) },
    });
    let usable = 0;
    fc.assert(
      fc.property(entries, (written) => {
        const entry = readEntry(written, NOW);
        if (typeof entry === 'string') {
          expect(entry).toMatch(/^with/);
          return;
        }
        usable += 1;
        for (const url of [entry.url, entry.imageUrl]) expect(url ?? 'https:').toMatch(/^https?:/);
        for (const line of [entry.title, entry.summary ?? '-', entry.language ?? '-']) {
          expect(line.isWellFormed()).toBe(true);
          expect(line).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(usable).toBeGreaterThan(10);
  });
});

it('leaves out entries without title or link, and says so', () => {
  const entries: OutletEntry[] = [
    ...[
      { ...ENTRY, title: ' \u200b ' },
      { ...ENTRY, title: null },
    ],
    ...[
      { ...ENTRY, link: null },
      { ...ENTRY, link: 'javascript:alert(1)' },
    ],
    { ...ENTRY, link: null, guid: 'https://outlet.example/by-guid', isPermaLink: true },
  ];
  const { usable, problems } = readEntries(entries, NOW);
  expect(problems).toEqual(['2 entries without a title were left out', '2 entries without a link were left out']);
  expect(usable.map(({ url }) => url)).toEqual(['https://outlet.example/by-guid']);
});
