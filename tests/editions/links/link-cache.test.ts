import { describe, expect, it } from 'vitest';
import {
  deleteOldLinkStates,
  findKnownLinks,
  isFresh,
  type LinkState,
  saveLinkStates,
} from '../../../src/editions/links/link-cache.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';

const NOW = Date.UTC(2026, 10, 24);
const WORKS: LinkState = { kind: 'works' };
const DEAD: LinkState = { kind: 'dead', reason: 'its server answered 404' };

describe('what was found of links', () => {
  forEachDatabase((open) => {
    it('is kept by URL, and replaced by what is found later', async () => {
      const { db } = await open();
      const long = `https://example.com/${'x'.repeat(20_000)}`;
      await saveLinkStates(db, new Map([['https://example.com/', WORKS]]), NOW);
      const later = new Map<string, LinkState>([
        [long, WORKS],
        ['https://example.com/', DEAD],
      ]);
      await saveLinkStates(db, later, NOW + HOUR);
      const known = await findKnownLinks(db, [long, 'https://example.com/', 'https://example.com/other']);
      expect(known).toEqual(
        new Map([
          [long, { state: WORKS, checkedAt: NOW + HOUR }],
          ['https://example.com/', { state: DEAD, checkedAt: NOW + HOUR }],
        ]),
      );
      await saveLinkStates(db, new Map(), NOW);
      expect(await findKnownLinks(db, [])).toEqual(new Map());
    });

    it('is deleted after a week', async () => {
      const { db } = await open();
      await saveLinkStates(db, new Map([['https://example.com/old', WORKS]]), NOW - 7 * DAY - 1);
      await saveLinkStates(db, new Map([['https://example.com/new', WORKS]]), NOW - 7 * DAY);
      expect(await deleteOldLinkStates(db, NOW)).toBe(1);
      const known = await findKnownLinks(db, ['https://example.com/old', 'https://example.com/new']);
      expect([...known.keys()]).toEqual(['https://example.com/new']);
    });
  });
});

describe('a link', () => {
  it('is looked up again after a day if it works, else after ten minutes', () => {
    expect(isFresh(WORKS, NOW - DAY + 1, NOW)).toBe(true);
    expect(isFresh(WORKS, NOW - DAY, NOW)).toBe(false);
    for (const state of [DEAD, { kind: 'unchecked', reason: '' } as const]) {
      expect(isFresh(state, NOW - 10 * MINUTE + 1, NOW)).toBe(true);
      expect(isFresh(state, NOW - 10 * MINUTE, NOW)).toBe(false);
    }
  });

  it('is looked up again if it was found at an instant that is yet to come', () => {
    expect(isFresh(WORKS, NOW + 1, NOW)).toBe(false);
  });
});
