import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalLink, isFrontPage } from '../../src/sources/canonical-link.ts';
import { anyText } from '../support/any-text.ts';
import { processorTime } from '../support/processor-time.ts';

const LINK = 'https://outlet.example/2026/story?a=1&b=2';

describe('canonicalLink', () => {
  it.each([
    ['the scheme', 'http://outlet.example/2026/story?a=1&b=2'],
    ['www.', 'https://www.outlet.example/2026/story?a=1&b=2'],
    ['the case of the host', 'https://Outlet.EXAMPLE/2026/story?a=1&b=2'],
    ['a final dot of the host', 'https://outlet.example./2026/story?a=1&b=2'],
    ['the default port', 'http://outlet.example:80/2026/story?a=1&b=2'],
    ['the fragment', 'https://outlet.example/2026/story?a=1&b=2#comments'],
    ['a trailing slash', 'https://outlet.example/2026/story/?a=1&b=2'],
    ['double slashes', 'https://outlet.example//2026//story?a=1&b=2'],
    ['an index page', 'https://outlet.example/2026/story/index.html?a=1&b=2'],
    ['the order of parameters', 'https://outlet.example/2026/story?b=2&a=1'],
    ['empty parameters', 'https://outlet.example/2026/story?&a=1&&b=2&'],
    ['needless percent-encoding', 'https://outlet.example/2026/%73tory?%61=1&b=%32'],
    ['tracking parameters', 'https://outlet.example/2026/story?utm_source=rss&a=1&fbclid=x&b=2&AT_medium=RSS&mc_cid=9'],
    ['the place that a link comes from', 'https://outlet.example/2026/story?ref=rss&a=1&b=2&source=rss----7f6'],
  ])('does not depend on %s', (_what, link) => {
    expect(canonicalLink(link)).toBe(LINK);
  });

  it.each([
    ['another path', 'https://outlet.example/2026/story-2?a=1&b=2'],
    ['the case of the path', 'https://outlet.example/2026/Story?a=1&b=2'],
    ['another parameter', 'https://outlet.example/2026/story?a=1&b=3'],
    ['a parameter that may choose the page', 'https://outlet.example/2026/story?a=1&b=2&source=4711'],
    ['another host', 'https://m.outlet.example/2026/story?a=1&b=2'],
    ['another port', 'https://outlet.example:8443/2026/story?a=1&b=2'],
  ])('differs with %s', (_what, link) => {
    expect(canonicalLink(link)).not.toBe(LINK);
  });

  it('writes percent-encoding one way, whatever the charset', () => {
    expect(canonicalLink('https://outlet.example/caf%c3%a9?q=%c4%e3')).toBe(
      'https://outlet.example/caf%C3%A9?q=%C4%E3',
    );
    expect(canonicalLink('https://outlet.example/café')).toBe('https://outlet.example/caf%C3%A9');
    expect(canonicalLink('https://outlet.example/?q=a+b')).toBe(canonicalLink('https://outlet.example/?q=a%20b'));
    expect(canonicalLink('https://outlet.example/100%')).toBe('https://outlet.example/100%25');
    expect(canonicalLink('https://outlet.example/?=')).toBe('https://outlet.example/');
  });

  it('keeps `www` where it is the name of the site', () => {
    expect(canonicalLink('http://www.example')).toBe('https://www.example/');
  });

  it('refuses what is no web address, or has a login', () => {
    for (const link of ['', 'story', '/2026/story', 'mailto:desk@outlet.example', 'https://me:pass@outlet.example/']) {
      expect(canonicalLink(link)).toBeNull();
    }
  });

  it('gives the same when it is applied twice, for any address', () => {
    const part = fc.oneof(anyText(12), fc.constantFrom('index.html', '%41', '%', '%%34%31', 'www.', '+', '//', 'a=1&'));
    const parts = fc.array(part, { maxLength: 6 }).map((list) => list.join(''));
    const host = fc.constantFrom(
      'outlet.example',
      'www.www.example',
      'WWW.outlet.example.:80',
      'xn--bcher-kva.example',
    );
    let read = 0;
    fc.assert(
      fc.property(host, parts, parts, (name, path, query) => {
        const canonical = canonicalLink(`http://${name}/${path}?${query}`);
        if (canonical === null) return;
        read += 1;
        expect(canonicalLink(canonical)).toBe(canonical);
      }),
      { numRuns: 500 },
    );
    expect(read).toBeGreaterThan(400);
  });

  it('takes time in proportion to the length', () => {
    const hostile = ['/index.html', '%', '&a', '/', 'www.', '%2e%2e/', '?'].map((piece) => piece.repeat(50_000));
    for (const text of hostile) {
      const time = processorTime(() => void canonicalLink(`https://outlet.example/${text}?${text}`));
      expect(time, text.slice(0, 9)).toBeLessThan(1_000);
    }
  });
});

describe('isFrontPage', () => {
  it('knows the address of a whole site', () => {
    const isFront = (link: string) => isFrontPage(canonicalLink(link) ?? '');
    expect(['http://www.outlet.example', 'https://outlet.example/index.php?utm_medium=rss'].map(isFront)).toEqual([
      true,
      true,
    ]);
    expect(['https://outlet.example/news', 'https://outlet.example/?p=7'].map(isFront)).toEqual([false, false]);
  });
});
