import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DerivedAddress, parseDerivedAddress } from '../../../src/feeds/derived/derived-address.ts';
import { isTagUri } from '../../../src/feeds/formats/item.ts';
import { anyText } from '../../support/any-text.ts';
import { feedsConfig } from '../feeds-fixture.ts';

const config = feedsConfig();

function parse(path: string, query = '') {
  return parseDerivedAddress(path, new URLSearchParams(query), config);
}

function addressOf(path: string, query = ''): DerivedAddress {
  const parsed = parse(path, query);
  if (parsed?.kind !== 'derived') throw new Error(`${path}?${query}: ${parsed?.reason ?? 'no such address'}`);
  return parsed.address;
}

describe('parseDerivedAddress', () => {
  it.each([
    ['section/world.atom', 'section/world.atom'],
    ['kicker/in-depth.rss', 'kicker/in-depth.rss'],
    ['kicker/In%20Depth.rss', 'kicker/in-depth.rss'],
    ['tag/C%2B%2B.json', 'tag/c.json'],
    ['reporter/陈思.atom', 'reporter/%E9%99%88%E6%80%9D.atom'],
    ['reporter/%E9%99%88%E6%80%9D.atom', 'reporter/%E9%99%88%E6%80%9D.atom'],
    ['reporter/%e9%99%88%e6%80%9d.atom', 'reporter/%E9%99%88%E6%80%9D.atom'],
  ])('turns %s into the canonical form %s', (written, canonical) => {
    expect(addressOf(written).path).toBe(canonical);
  });

  it('sorts the values of a query, and drops duplicates and empty values', () => {
    const query = 'tag=b&section=world&kicker=In+Depth&tag=a&tag=B&reporter=&kind=brief';
    expect(addressOf('custom.atom', query)).toEqual({
      id: 'custom',
      query: 'kicker=in-depth&kind=brief&section=world&tag=a&tag=b',
      path: 'custom.atom?kicker=in-depth&kind=brief&section=world&tag=a&tag=b',
      format: 'atom',
      values: { kicker: ['in-depth'], kind: ['brief'], section: ['world'], tag: ['a', 'b'] },
    });
  });

  it('takes words, with one section and one kind at most', () => {
    const address = addressOf('custom.rss', 'section=world&q=%20Ferry%20%20Élysée&kind=');
    expect(address).toMatchObject({ words: 'ferry élysée', values: { section: ['world'] } });
    expect(address.path).toBe('custom.rss?q=ferry%20%C3%A9lys%C3%A9e&section=world');
    const refusals = ['q=!%3F', `q=${'x'.repeat(101)}`, 'q=a&tag=b', 'q=a&kind=brief&kind=analysis'];
    expect(refusals.map((query) => parse('custom.rss', query)?.kind)).toEqual(refusals.map(() => 'refused'));
  });

  it('ignores the query of a feed of a single facet', () => {
    expect(addressOf('section/world.atom', 'utm_source=x&section=business-tech').path).toBe('section/world.atom');
  });

  it.each([
    ['section/sports.atom', '', 'There is no section "sports": there are business-tech, world.'],
    ['tag/%21%3F.rss', '', '"!?" is not a tag: it has neither a letter nor a digit.'],
    [`tag/${'x'.repeat(101)}.rss`, '', 'A tag has at most 100 characters in an address.'],
    ['custom.atom', '', 'Select the feed by at least one of kicker, kind, reporter, section, tag, q.'],
    ['custom.atom', 'section=', 'Select the feed by at least one of kicker, kind, reporter, section, tag, q.'],
    [
      'custom.atom',
      'sections=world',
      'There is no "sections": a feed is selected by kicker, kind, reporter, section, tag, q.',
    ],
    [
      'custom.rss',
      'kind=essay',
      'There is no kind "essay": there are brief, analysis, feature, roundup-item, roundup.',
    ],
    [
      'custom.json',
      'tag=1&tag=2&tag=3&tag=4&tag=5&tag=6&tag=7&tag=8&tag=9',
      'A feed is selected by at most 8 values, not 9.',
    ],
  ])('refuses %s?%s: %s', (path, query, reason) => {
    expect(parse(path, query)).toEqual({ kind: 'refused', reason });
  });

  it.each([
    'custom.xml',
    'custom',
    'section/world',
    'section/a/b.atom',
    'section/.atom',
    'kind/brief.atom',
    'tag/%E9.atom',
    'tag/%.atom',
    'latest.atom',
    '../section/world.atom',
    'section/world.atom/',
  ])('does not recognise %s', (path) => {
    expect(parse(path)).toBeNull();
  });

  it('is stable, and its result is a valid path and part of a valid tag: URI, for any text', () => {
    const name = fc.constantFrom('kicker', 'reporter', 'tag');
    const pair = fc.tuple(name, anyText(40));
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 6 }), (pairs) => {
        const parsed = parseDerivedAddress('custom.atom', new URLSearchParams(pairs), config);
        if (parsed?.kind !== 'derived') return;
        const { path, id, query } = parsed.address;
        expect(path).toMatch(/^custom\.atom\?(?:[a-z]+=(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+&?)+$/);
        expect(isTagUri(`tag:example.com,2026:feeds/${id}?${query}`)).toBe(true);
        expect(addressOf('custom.atom', query)).toEqual(parsed.address);
        const shuffled = new URLSearchParams([...pairs, ...pairs].reverse());
        expect(parseDerivedAddress('custom.atom', shuffled, config)).toEqual(parsed);
      }),
      { seed: 20261124, numRuns: 500 },
    );
    fc.assert(
      fc.property(name, anyText(60), (facet, text) => {
        const encoded = encodeURIComponent(text.toWellFormed());
        const parsed = parse(`${facet}/${encoded}.rss`);
        if (parsed?.kind !== 'derived') return;
        expect(parsed.address.path).toMatch(/^[a-z]+\/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+\.rss$/);
        expect(addressOf(parsed.address.path)).toEqual(parsed.address);
        expect(addressOf(decodeURI(parsed.address.path))).toEqual(parsed.address);
      }),
      { seed: 20261124, numRuns: 500 },
    );
  });
});
