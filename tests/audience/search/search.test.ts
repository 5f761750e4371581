import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AddressSearch, parseSearch, searchSubscribers } from '../../../src/audience/search/search.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { parseAddress } from '../../../src/lib/address.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { addConfirmed } from '../fixtures.ts';

/** The addresses that a search finds, page by page. */
async function pagesOf({ db }: Store, search: AddressSearch, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  if (search.kind === 'invalid') return pages;
  let after: number | null = null;
  do {
    const page = await searchSubscribers(db, search, { after, limit });
    pages.push(page.subscribers.map(({ email }) => email));
    after = page.next;
  } while (after !== null && pages.length < 10);
  return pages;
}

forEachDatabase((open) => {
  it('finds addresses by their beginning, in the order of their bytes, page by page', async () => {
    const store = await open();
    for (const name of ['a', 'a_1', 'A+b', 'a~~', 'ab', 'az', 'b']) await addConfirmed(store, `${name}@example.com`);
    const pages = await pagesOf(store, parseSearch('A', true), 4);
    expect(pages).toEqual([
      ['A+b@example.com', 'a@example.com', 'a_1@example.com', 'ab@example.com'],
      ['az@example.com', 'a~~@example.com'],
    ]);
    expect(await pagesOf(store, parseSearch('a_', true), 4)).toEqual([['a_1@example.com']]);
    expect(await pagesOf(store, parseSearch('%', true), 4)).toEqual([[]]);
  });

  it('finds one whole address in any spelling, and no longer one, for those who see masked addresses', async () => {
    const store = await open();
    await addConfirmed(store, 'ada@bücher.example');
    await addConfirmed(store, 'ada@bücher.example.com');
    const whole = parseSearch(' Ada@BÜCHER.example ', false);
    expect(await pagesOf(store, whole, 4)).toEqual([['ada@bücher.example']]);
    expect(parseSearch('ada@b', false)).toMatchObject({ kind: 'invalid' });
    expect(parseSearch('a', false)).toMatchObject({ kind: 'invalid' });
  });
});

it('every address is found by each of its beginnings', () => {
  const key = fc
    .emailAddress()
    .map((email) => parseAddress(email))
    .filter((parsed) => parsed.kind === 'valid');
  fc.assert(
    fc.property(key, fc.nat(), ({ email, key }, cut) => {
      const search = parseSearch(email.slice(0, 1 + (cut % email.length)), true);
      expect(search).toEqual({ kind: 'prefix', prefix: expect.any(String) });
      if (search.kind === 'prefix') {
        expect(key >= search.prefix && key <= `${search.prefix}\u007f`).toBe(true);
      }
    }),
  );
});

it('what nobody can be called is refused with a reason, and any text is read', () => {
  expect(parseSearch('', true)).toEqual({ kind: 'invalid', reason: 'enter an address' });
  expect(parseSearch('ä', true)).toEqual({ kind: 'invalid', reason: 'no address begins with these characters' });
  expect(parseSearch(`${'a'.repeat(255)}`, true)).toMatchObject({ kind: 'invalid' });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), (text, mayPrefix) => {
      const search = parseSearch(text, mayPrefix);
      if (search.kind === 'prefix') expect(search.prefix).toMatch(/^[\u0021-\u007e]+$/);
      if (!mayPrefix) expect(search.kind).not.toBe('prefix');
    }),
  );
});
