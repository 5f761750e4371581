import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feedOutline, writeOpml } from '../../../src/feeds/formats/opml.ts';
import { cleanLine } from '../../../src/lib/text/clean-text.ts';
import { readOpml } from '../../../src/outlets/import-opml.ts';
import { processorTime } from '../../support/processor-time.ts';

const read = (text: string) => readOpml(Buffer.from(text));

function feedsOf(text: string) {
  const result = read(text);
  if (result.kind !== 'opml') throw new Error(result.reason);
  return result;
}

/** Characters that XML escapes, forbids or normalises, and some beyond ASCII. */
const HARD = fc.constantFrom(...'a<>&"\' \t\n\r\0\u0085é\u0301中\u202e\ud83d\ude00\ufffe];#x');

const withBody = (body: string): string =>
  `<opml version="2.0"><head><title>T</title></head><body>${body}</body></opml>`;

describe('reading OPML', () => {
  it('says that a file was cut off, wherever', () => {
    const whole = withBody(
      '<outline text="A" xmlUrl="https://a.example/"/><outline text="B" xmlUrl="https://b.example/"/>',
    );
    expect(feedsOf(whole).problems).toEqual([]);
    for (let end = '<opml>'.length + 20; end < whole.length; end++) {
      expect(feedsOf(whole.slice(0, end)).problems).toEqual([
        'the file ends without </opml>: perhaps feeds are missing',
      ]);
    }
  });

  it('finds feeds in any folder, and takes the title before the text', () => {
    const result = feedsOf(`<?xml version="1.0"?><OPML version="1.1"><head><title> My
      feeds </title></head><body>
      <outline text="Business"><outline text="Deep"><outline type="rss" text="A &amp; B" xmlUrl="https://a.example/?x=1&amp;y=2"/>
      </outline></outline>
      <outline title="Second" text="Other" XMLURL=' https://b.example/feed '>
      <outline text="Third" type="atom" xmlUrl="https://c.example/"/></outline>
      <outline text="Note" type="link" url="https://d.example/"/>
    </body></OPML>`);
    expect(result).toEqual({
      kind: 'opml',
      title: 'My feeds',
      feeds: [
        { title: 'A & B', url: 'https://a.example/?x=1&y=2' },
        { title: 'Second', url: 'https://b.example/feed' },
        { title: 'Third', url: 'https://c.example/' },
      ],
      problems: [],
    });
  });

  it('names outlines that are feeds without an address', () => {
    const { feeds, problems } = feedsOf(
      withBody('<outline type="rss" text="Lost"/><outline xmlUrl="https://a.example/"/>'),
    );
    expect(problems).toEqual(['“Lost” has no xmlUrl']);
    expect(feeds).toEqual([{ title: null, url: 'https://a.example/' }]);
  });

  it('reads a file that is not well-formed, or in another encoding', () => {
    const { feeds } = feedsOf(
      '<opml><body><outline text="R & D" xmlUrl="https://a.example/?a=1&b=2"><outline xmlUrl=https://b.example/>',
    );
    expect(feeds).toEqual([
      { title: 'R & D', url: 'https://a.example/?a=1&b=2' },
      { title: null, url: 'https://b.example/' },
    ]);
    const latin = Buffer.from(
      '<?xml version="1.0" encoding="iso-8859-1"?><opml><outline text="Caf\xe9" xmlUrl="x"/></opml>',
      'latin1',
    );
    expect(readOpml(latin)).toMatchObject({ feeds: [{ title: 'Café', url: 'x' }] });
  });

  it.each([
    ['an HTML page', '<!doctype html><html><body><outline xmlUrl="https://a.example/"/></body></html>', /not OPML/],
    ['nothing', '', /not OPML/],
    ['folders without end', `<opml>${'<outline text="a">'.repeat(200_000)}`, /more than 100 tags within tags/],
    ['a file that is too long', `<opml>${' '.repeat(5_000_001)}`, /longer than 5 MB/],
  ])('refuses %s', (_, text, reason) => {
    expect(read(text)).toEqual({ kind: 'unreadable', reason: expect.stringMatching(reason) });
  });

  it('expands no entity, and bounds titles, addresses and the number of feeds', () => {
    const bomb = `<!DOCTYPE opml [<!ENTITY a "${'x'.repeat(100)}"><!ENTITY b "&a;&a;&a;">]>`;
    expect(feedsOf(`${bomb}<opml><outline text="&b;" xmlUrl="https://a.example/"/></opml>`).feeds).toEqual([
      { title: '&b;', url: 'https://a.example/' },
    ]);
    const long = feedsOf(
      withBody(`<outline text="${'t'.repeat(5_000)}" xmlUrl="https://a.example/${'u'.repeat(3_000)}"/>`),
    );
    expect(long.feeds).toEqual([]);
    expect(long.problems).toEqual([`“${'t'.repeat(200)}” has an address of more than 2000 characters`]);
    const many = feedsOf(withBody('<outline xmlUrl="https://a.example/"/>'.repeat(5_003)));
    expect([many.feeds.length, many.problems]).toEqual([5_000, ['3 more feeds were not read: a file may have 5000']]);
  });

  it.each([
    ['attributes', `<opml><outline ${'a="b" '.repeat(100_000)} xmlUrl="https://a.example/"/></opml>`],
    ['quotes', `<opml><outline text="${'<"'.repeat(250_000)}`],
    ['ends of tags', `<opml>${'</outline>'.repeat(100_000)}`],
    ['references', `<opml><outline text="${'&amp;#x'.repeat(150_000)}"/></opml>`],
    ['white space', `<opml><outline text="${' \n'.repeat(500_000)}" xmlUrl="a"/></opml>`],
  ])('reads very many %s in bounded time', (_, text) => {
    const time = processorTime(() => {
      expect(read(text).kind).toBe('opml');
    });
    expect(time).toBeLessThan(2_000);
  });
});

describe('writing OPML', () => {
  it('gives any list back when it is read', () => {
    const title = fc.string({ unit: HARD, maxLength: 60 }).map(cleanLine);
    const listed = fc.record({
      title: title.map((text) => text || 'a'),
      url: fc.string({ maxLength: 20 }).map((query) => `https://a.example/${encodeURI(query)}?a=1&b='`),
    });
    fc.assert(
      fc.property(title, fc.array(listed, { maxLength: 6 }), (name, feeds) => {
        const result = read(
          writeOpml(
            { title: name },
            feeds.map((one) => feedOutline({ title: one.title, xmlUrl: one.url })),
          ),
        );
        expect(result).toEqual({ kind: 'opml', title: name || null, feeds, problems: [] });
      }),
      { numRuns: 40 },
    );
  });

  it('reads any bytes without throwing', () => {
    const parts = fc.constantFrom(
      '<opml>',
      '<outline ',
      'xmlUrl="',
      'text=',
      '>',
      '/>',
      '"',
      '&',
      '</',
      '<![CDATA[',
      '<!--',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string({ unit: HARD, maxLength: 20 })), { maxLength: 40 }), (pieces) => {
        expect(['opml', 'unreadable']).toContain(read(pieces.join('')).kind);
      }),
    );
  });
});
