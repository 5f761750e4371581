import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIBRARIES, READERS } from '../../../src/feeds/readers/known-readers.ts';
import { type ReaderName, readerName } from '../../../src/feeds/readers/reader-name.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';

const resultOf = (userAgent: string | null): [string, number | null, string | null] => {
  const { reader, subscribers, id } = readerName(userAgent);
  return [reader, subscribers, id];
};

describe('readerName', () => {
  it.each<[string, string, number | null, string | null]>([
    [
      'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 1234 subscribers; like FeedFetcher-Google)',
      'Feedly',
      1234,
      null,
    ],
    ['Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 3 subscribers; )', 'Inoreader', 3, null],
    ['Feedbin feed-id:1373711 - 142 subscribers', 'Feedbin', 142, '1373711'],
    [
      'NewsBlur Feed Fetcher - 1,234 subscribers - http://www.newsblur.com/site/5512/a-title (Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0.1 Safari/605.1.15)',
      'NewsBlur',
      1234,
      '5512',
    ],
    [
      'Mozilla/5.0 (compatible; theoldreader.com; 2 subscribers; feed-id=0719795c4d)',
      'The Old Reader',
      2,
      '0719795c4d',
    ],
    [
      'FeedFetcher-Google; (+http://www.google.com/feedfetcher.html; 4 subscribers; feed-id=904)',
      'Google FeedFetcher',
      4,
      '904',
    ],
    ['Netvibes (http://www.netvibes.com/; 5 subscribers; feedId: 5404723)', 'Netvibes', 5, '5404723'],
    [
      'LiveJournal.com (webmaster@livejournal.com; for http://www.livejournal.com/users/ada/; 12 readers)',
      'LiveJournal',
      12,
      null,
    ],
    ['NewsGatorOnline/2.0_(http://www.newsgator.com;_20_subscribers)', 'NewsGator', 20, null],
    [
      'Superfeedr bot/2.0 http://superfeedr.com - Make your feeds realtime: get in touch - feed-id:1',
      'Superfeedr',
      null,
      null,
    ],
    ['newsboat/2.32.0 (Linux x86_64)', 'Newsboat', null, null],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.6.1', 'Thunderbird', null, null],
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) fluent-reader/1.1.4 Chrome/108.0 Electron/21.0 Safari/537.36',
      'Fluent Reader',
      null,
      null,
    ],
    ['SpaceCowboys Android RSS Reader / 2.6.8(307)', 'Feeder', null, null],
    ['iTMS', 'Apple Podcasts', null, null],
    ['Podcasts/1430.46 CFNetwork/1335.0.3 Darwin/21.6.0', 'Apple Podcasts', null, null],
    ['http.rb/5.1.0 (Mastodon/4.2.1; +https://social.example.com/)', 'Mastodon', null, null],
  ])('recognises "%s" as %s', (userAgent, reader, subscribers, id) => {
    expect(resultOf(userAgent)).toEqual([reader, subscribers, id]);
  });

  it.each([CHROME, 'Opera/9.80 (X11; Linux) Presto/2.12 Version/12.16'])(
    'recognises "%s" as a browser',
    (userAgent) => {
      expect(resultOf(userAgent)).toEqual(['browser', null, null]);
    },
  );

  it.each([
    null,
    '',
    '   ',
    'AdasOwnReader/1.0',
    'Ada Example <ada@example.com>',
    'ada@example.com (+https://example.com/)',
    '192.0.2.7 (+https://example.com/)',
    'SomeReader/2.1 (1,204 readers)',
    'A-name-that-is-longer-than-any-token/1.0 (+https://example.com/)',
    'Élodie/1.0 (+https://example.com/; 3 subscribers)',
    `${CHROME} (+https://example.com/)`,
    'other/1.0 (+https://example.com/; 100 subscribers)',
    'Browser/1.0 (+https://example.com/; 100 subscribers)',
  ])('does not distinguish %j from others', (userAgent) => {
    expect(resultOf(userAgent)).toEqual(['other', null, null]);
  });

  it.each([
    'Breeder/1.0',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Feedly) Chrome/130.0 Safari/537.36',
  ])('does not find a name inside other words: "%s"', (userAgent) => {
    expect(['browser', 'other']).toContain(readerName(userAgent).reader);
  });

  it('does not take a name from a URL', () => {
    expect(readerName('Mine/1.0 (+https://feedly.com/Feedly/1.0)').reader).toBe('other');
  });
});

describe('the number of subscribers', () => {
  const reported = (words: string): ReaderName['subscribers'] => readerName(`Feedly/1.0 (${words})`).subscribers;

  it.each([
    ['0 subscribers', 0],
    ['1 subscriber', 1],
    ['12,345 subscribers', 12_345],
    ['1.234.567 subscribers', 1_234_567],
    ["1'234 subscribers", 1_234],
    ['1\u00a0234 subscribers', 1_234],
    ['subscribers=17', 17],
    ['subscribers:1,700;', 1_700],
    ['users 2; views 169', 2],
    ['10+ subscribers', 10],
    ['15 subscriber(s)', 15],
    ['99 subscribers; 100 readers', 99],
    ['100000001 subscribers', 100_000_000],
  ])('is parsed from "%s" as %i', (words, count) => {
    expect(reported(words)).toBe(count);
  });

  it.each([
    'no subscribers',
    '-subscribers',
    '1.5 subscribers',
    '1,23 subscribers',
    'subscribers',
    '/123 subscribers',
    'subscribers=x',
  ])('is unknown for "%s"', (words) => {
    expect(reported(words)).toBeNull();
  });
});

describe('a hostile header', () => {
  const hostile = fc.oneof(
    anyText(700),
    fc
      .array(
        fc.constantFrom(
          'Feedly/1.0',
          ' (',
          ';',
          ')',
          '1,234',
          ' subscribers',
          'feed-id:',
          'http://',
          '+',
          'compatible;',
          'Mozilla/5.0',
          '\0',
          '\ud800',
          'x'.repeat(40),
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join('')),
  );

  it('results in a name that is not from the header, and a count within bounds', () => {
    fc.assert(
      fc.property(hostile, (userAgent) => {
        const { reader, subscribers, id } = readerName(userAgent);
        expect([...READERS.values(), ...LIBRARIES.values(), 'browser', 'other']).toContain(reader);
        expect(subscribers === null || (Number.isInteger(subscribers) && subscribers >= 0 && subscribers <= 1e8)).toBe(
          true,
        );
        expect(id === null || /^[\w-]{1,64}$/.test(id)).toBe(true);
      }),
    );
  });

  it('is parsed in bounded time, however long and repetitive', () => {
    const units = [
      '1',
      '1,',
      '1 ',
      ' ',
      '/',
      '(',
      'http://',
      '+http',
      'subscribers ',
      'compatible;',
      'feed-id:',
      'a/',
      'a ',
      '\t',
      '-',
    ];
    for (const unit of units) {
      const header = `Feedly/1.0 ${unit.repeat(1_000_000)} 5 subscribers`;
      // About 20 µs; quadratic time for a megabyte would be minutes.
      expect(
        processorTime(() => void readerName(header)),
        unit,
      ).toBeLessThan(500);
    }
  });
});
