import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFeed } from '../../../src/sources/feed/parse-feed.ts';
import { MAX_ITEMS } from '../../../src/sources/feed/parsed-feed.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';
import { atomEntry, FEED_URL, NOW, readFeed, rssItem } from './read-feed.ts';

const parse = (document: string | Uint8Array) =>
  parseFeed({ bytes: Buffer.from(document), contentType: null, url: FEED_URL }, NOW);

const item = (n: number): string =>
  `<item><title><![CDATA[Story ${n} é]]></title><link>https://a.example.com/${n}</link><guid isPermaLink="false">${n}</guid>
   <description>&lt;p title="x"&gt;Text &amp;amp; ${n}&lt;/p&gt;</description><media:group><media:content url="/${n}.jpg"
   type="image/jpeg"/></media:group><pubDate>Thu, 26 Nov 2026 10:14:55 GMT</pubDate></item>\n`;
const HEAD = '<?xml version="1.0"?><rss version="2.0"><channel><title>Times</title>\n';
const ITEMS = [1, 2, 3, 4, 5].map(item);
const FEED = `${HEAD}${ITEMS.join('')}</channel></rss>`;

describe('parseFeed', () => {
  it('never throws on arbitrary bytes and texts', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parse(bytes)));
    fc.assert(fc.property(anyText(100), (text) => void parse(text)));
    fc.assert(fc.property(anyText(100), (text) => void parse(rssItem(text))));
    fc.assert(fc.property(fc.json(), (json) => void parse(json)));
  });

  it('never throws on markup in any order', () => {
    const parts = [
      ...['<rss>', '<feed xmlns="http://www.w3.org/2005/Atom">', '<channel>', '<item>', '<entry>', '<title>', '<link'],
      ...[
        '<content type="xhtml">',
        '<content mode="base64">',
        '<p ',
        'xml:base="',
        '"',
        "'",
        '>',
        '/>',
        '</',
        '</item>',
      ],
      ...['</entry>', '</title>', '<![CDATA[', ']]>', '<!--', '-->', '<!DOCTYPE x [', ']>', '<?', '&amp;', '&#x', ';'],
      ...[
        '&lt;',
        '<',
        'xmlns:a="x"',
        'a:b',
        'href=/c ',
        '<media:content url="',
        '<guid>',
        '<author>',
        '26 Nov 2026',
        'é',
      ],
    ];
    const document = fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((some) => some.join(''));
    fc.assert(fc.property(document, (text) => void parse(text)));
    fc.assert(fc.property(document, (text) => void parse(rssItem(text))));
    fc.assert(fc.property(document, (text) => void parse(atomEntry(text))));
  });

  it('finds n items in a feed that is cut after its n-th item, and no part of another one', () => {
    const whole = readFeed(FEED).items;
    const bytes = Buffer.from(FEED);
    const ends = ITEMS.map((_, index) => Buffer.byteLength(HEAD + ITEMS.slice(0, index + 1).join('')) - 1);
    expect(whole).toHaveLength(5);
    fc.assert(
      fc.property(fc.integer({ min: HEAD.length, max: bytes.length }), (length) => {
        const complete = ends.filter((end) => end <= length).length;
        expect(readFeed(bytes.subarray(0, length)).items).toEqual(whole.slice(0, complete));
      }),
    );
  });

  it('gives texts that a database can hold, and addresses of the web alone', () => {
    fc.assert(
      fc.property(anyText(40), (text) => {
        const escaped = text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
        const fields = ['title', 'link', 'guid', 'description', 'author', 'category'];
        const document = rssItem(fields.map((name) => `<${name}>${escaped}</${name}>`).join(''));
        for (const { title, id, link, summary, authors, categories } of readFeed(document).items) {
          for (const value of [title, id, summary, authors[0], categories[0]]) {
            expect(value ?? '').not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]|\p{Cs}/u);
          }
          expect(link ?? 'http:').toMatch(/^https?:/);
        }
      }),
    );
  });
});

/** Processor time of a document in milliseconds, in the better of two attempts: other load hardly changes it. */
function timeOf(document: string): number {
  return Math.min(...[1, 2].map(() => processorTime(() => void parse(document))));
}

function expectLinear(build: (n: number) => string): void {
  const time = (n: number): number => timeOf(build(n));
  time(200);
  // Eight times as long for eight times as much; 64 times if it were quadratic.
  expect(time(8_000)).toBeLessThan(Math.max(100, 30 * time(1_000)));
}

describe('entities', () => {
  it('expands none that a document declares', () => {
    const lines = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `<!ENTITY l${n} "${`&l${n - 1};`.repeat(10)}">`);
    const document = `<!DOCTYPE rss [<!ENTITY l0 "lol">${lines.join('\n')}]>${rssItem('<title>&l9; &l0;</title>')}`;
    expect(readFeed(document).items).toMatchObject([{ title: '&l9; &l0;' }]);
  });

  it('does not read external entities and parameter entities', () => {
    const subset = '<!ENTITY a SYSTEM "file:///etc/hostname"><!ENTITY % p "b"> %p; <!ENTITY c "<item/>">';
    const document = `<!DOCTYPE rss SYSTEM "x.dtd" [${subset}]>${rssItem('<title>&a;%p;&c;</title>')}`;
    expect(readFeed(document).items).toMatchObject([{ title: '&a;%p;&c;' }]);
  });
});

it.each(['constructor', '__proto__', 'toString', 'valueOf'])('knows nothing by the name “%s”', (name) => {
  expect(parse(`<${name}><item><title>a</title></item></${name}>`)).toMatchObject({ kind: 'unreadable' });
  const attributes = ` xmlns:a="${name}" ${name}="b" xmlns:${name}="c"`;
  const feed = readFeed(
    rssItem(`<a:title>b</a:title><${name}:link>c</${name}:link><${name}/><title>&${name};</title>`, attributes),
  );
  expect(feed.items).toMatchObject([{ title: `&${name};`, link: null, publishedAt: null }]);
  expect(readFeed(rssItem(`<pubDate>26 ${name} 2026 10:00 ${name}</pubDate>`)).items[0]?.publishedAt).toBeNull();
});

describe('limits', () => {
  it('reads at most 50,000 items, and says so', () => {
    const feed = readFeed(`<rss><channel>${'<item/>'.repeat(MAX_ITEMS + 5)}</channel></rss>`);
    expect(feed.items).toHaveLength(50_000);
    expect(feed).toMatchObject({ repaired: false, problems: ['it has more than 50,000 items: the rest was not read'] });
  });

  it('stops where elements nest a thousand deep, with the items before', () => {
    const feed = readFeed(`<rss><item><title>One</title></item><item>${'<a>'.repeat(50_000)}`);
    expect(feed.items).toMatchObject([{ title: 'One' }]);
    expect(feed.problems).toEqual(['elements nest 1000 deep: the rest was not read']);
  });

  it('leaves out an item of more than five million characters, and says so', () => {
    const long = `<item><title>Long</title><description>${'a'.repeat(5_000_000)}</description></item>`;
    const feed = readFeed(`<rss><channel>${long}<item><title>Short</title></item></channel></rss>`);
    expect(feed.items).toMatchObject([{ title: 'Short' }]);
    expect(feed.problems).toEqual(['an item has more than 5,000,000 characters, and was left out']);
  });

  it('takes a hundred of the parts of an item', () => {
    const parts = '<category>a</category><dc:creator>b</dc:creator>';
    const { categories, authors } = readFeed(rssItem(parts.repeat(300))).items[0] ?? {};
    expect([categories?.length, authors?.length]).toEqual([100, 100]);
  });

  it.each([
    ['unclosed CDATA sections', (n: number) => '<item><description><![CDATA[</description></item>'.repeat(n)],
    ['CDATA sections without end', (n: number) => '<title><![CDATA['.repeat(n)],
    ['unclosed tags', (n: number) => `<item><title ${'<a '.repeat(n)}`],
    ['open comments', (n: number) => '<!--'.repeat(n)],
    ['attributes', (n: number) => `<item ${Array.from({ length: n }, (_, index) => `a${index}=""`).join(' ')}>`],
    ['namespaces', (n: number) => '<item xmlns:a="b" xmlns:c="d"><a:b/></item>'.repeat(n)],
    ['references', (n: number) => `<item><title>${'&'.repeat(n)}${'&a;'.repeat(n)}</title></item>`],
    ['end tags', (n: number) => `<item>${'<a>'.repeat(900)}${'</b>'.repeat(n)}</item>`],
    ['brackets', (n: number) => `<!DOCTYPE x [${']'.repeat(n)}`],
    ['relative links', (n: number) => `<item><description>${'&lt;a href="b"&gt;'.repeat(n)}</description></item>`],
    [
      'HTML that nests deep',
      (n: number) => `<item><description>&lt;a href="b"&gt;${'&lt;b&gt;'.repeat(10 * n)}</description></item>`,
    ],
    ['half tags of HTML', (n: number) => `<item><title>${'&lt;a '.repeat(n)}</title></item>`],
  ])('takes linear time for %s', (_name, build) => {
    expectLinear((n) => `<rss><channel>${build(n)}`);
  });

  it.each([
    ['commas with nothing after them', (n: number) => '[ ,   ], '.repeat(n)],
    ['commas and spaces', (n: number) => ', , '.repeat(n)],
    ['texts without end', (n: number) => '"\\" '.repeat(n)],
    ['braces', (n: number) => '{   '.repeat(n)],
    ['controls in texts', (n: number) => '"\n",'.repeat(n)],
  ])('takes linear time to repair JSON with %s', (_name, build) => {
    expectLinear((n) => `{"items": [${build(n)}}`);
  });
});
