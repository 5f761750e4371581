import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseCoding, prefersPage, prefersPlainXml } from '../../../src/web/server/negotiate.ts';

describe('the chosen coding', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['gzip;q=0, br;q=0', 'identity'],
    ['GZIP;Q=0.8', 'gzip'],
    ['*', 'br'],
    ['*;q=0.5, gzip', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0', 'identity'],
    ['deflate', 'identity'],
    ['gzip;q=2, br;q=x', 'identity'],
    [' , ;q=1, gzip ; q = 0.3 ', 'gzip'],
  ])('for %s is %s', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });

  it('is one of three for any header, and the same each time', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const coding = chooseCoding(header);
        expect(['identity', 'gzip', 'br']).toContain(coding);
        expect(chooseCoding(header)).toBe(coding);
      }),
    );
  });
});

describe('a page', () => {
  it.each([
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['text/html', true],
    ['TEXT/HTML, */*;q=0.9', true],
    ['text/html;q=0.9, */*;q=0.8', true],
    ['text/html, */*', false],
    ['text/html;q=0.5, */*;q=0.8', false],
    ['text/html;q=2, image/png', false],
    ['*/*', false],
    ['', false],
    [undefined, false],
    ['text/html, application/rss+xml;q=0.1', false],
    ['text/html, APPLICATION/FEED+JSON', false],
    ['text/html, application/rdf+xml', false],
  ])('is preferred by %s: %s', (accept, expected) => {
    expect(prefersPage(accept)).toBe(expected);
  });
});

describe('an XML feed', () => {
  const RSS = 'application/rss+xml; charset=utf-8'.split(';', 1)[0] as string;

  it.each([
    ['Chromium', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
    ['Safari', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['a text browser', 'text/html, text/plain, */*;q=0.01'],
    ['a client that prefers XML', 'application/xml'],
    ['a client that prefers XML by its old name', 'text/xml, application/rss+xml;q=0.9'],
    ['a client that accepts only HTML', 'text/html'],
  ])('is sent as application/xml to %s', (_, accept) => {
    expect(prefersPlainXml(accept, RSS)).toBe(true);
  });

  it.each([
    ['a client without the header', undefined],
    ['a client that accepts anything', '*/*'],
    [
      'a feed reader',
      'application/rss+xml, application/rdf+xml;q=0.8, application/atom+xml;q=0.6, application/xml;q=0.4',
    ],
    ['feedparser', 'application/atom+xml,application/rdf+xml,application/rss+xml,application/xml;q=0.9,*/*;q=0.1'],
    ['a client that accepts both alike', 'application/xml, application/rss+xml'],
    ['a client that prefers the feed to HTML', 'application/rss+xml, text/html;q=0.5'],
    ['a client that accepts images', 'image/png'],
  ])('is sent with its own type to %s', (_, accept) => {
    expect(prefersPlainXml(accept, RSS)).toBe(false);
  });
});
