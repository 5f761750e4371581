import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ParsedFeed } from '../../../src/sources/feed/parsed-feed.ts';
import { anyText } from '../../support/any-text.ts';
import { readFeed } from './read-feed.ts';

const titles = ({ items }: ParsedFeed): (string | null)[] => items.map(({ title }) => title);
const channel = (items: string): string => `<rss version="2.0"><channel><title>T</title>${items}</channel></rss>`;

it('reads attributes without quotes', () => {
  const feed = readFeed('<rss version="2.0"><channel><item><guid isPermaLink=false>7</guid></item></channel></rss>');
  expect(feed).toMatchObject({ items: [{ id: '7', isPermaLink: false }], repaired: true });
  expect(feed.problems).toEqual(['an attribute was not quoted']);
  expect(readFeed('<rss version=2.0><channel/></rss>')).toMatchObject({ repaired: true });
});

it('ends an unclosed CDATA section also if a later one would end it', () => {
  const feed = readFeed(
    channel(
      `<item><title><![CDATA[One</title><description><![CDATA[a]]></description></item>
       <item><title>Two</title><content:encoded><![CDATA[b</content:encoded></item>
       <item><title><![CDATA[Three]]></title></item>`,
    ),
  );
  expect(titles(feed)).toEqual(['One', 'Two', 'Three']);
  expect(feed.items).toMatchObject([{ summary: 'a' }, { content: 'b' }, {}]);
  expect(feed).toMatchObject({ repaired: true, problems: ['a CDATA section was not closed'] });
});

it('leaves a CDATA section alone that shows how a feed is written', () => {
  const example = '<pre><item><description>text</description></item></pre>';
  const feed = readFeed(channel(`<item><title>One</title><description><![CDATA[${example}]]></description></item>`));
  expect(feed).toMatchObject({ repaired: false, items: [{ title: 'One', summary: example }] });
});

it('keeps the whole items of a feed that was cut, and leaves out the one within which it was', () => {
  const feed = readFeed('<rss><channel><title>T</title><item><title>One</title></item><item><title>Two</title><desc');
  expect(titles(feed)).toEqual(['One']);
  expect(feed.repaired).toBe(true);
  expect(feed.problems).toContain('it ends within an item, which was left out');
});

it('reads entities that no one declared, and a bare “&”', () => {
  const feed = readFeed(channel('<item><title>Caf&eacute;&nbsp;&mdash; AT&T &unknown; &copy</title></item>'));
  expect(titles(feed)).toEqual(['Café\u00a0— AT&T &unknown; ©']);
  expect(feed.problems).toEqual(['an “&” was not escaped, or an entity not declared']);
});

it('reads the references to windows-1252 that browsers read', () => {
  expect(titles(readFeed(channel('<item><title>&#8220;a&#x2019;s&#148; &#150;</title></item>')))).toEqual(['“a’s” –']);
});

it('reads a “<” that begins no tag', () => {
  const feed = readFeed(channel('<item><title>1 < 2, I <3 you</title></item>'));
  expect(titles(feed)).toEqual(['1 < 2, I <3 you']);
  expect(feed.repaired).toBe(true);
});

it('begins the next item where one was not closed', () => {
  const feed = readFeed(channel('<item><title>One</title><item><title>Two</title></item><item><title>Three</title>'));
  expect(titles(feed)).toEqual(['One', 'Two', 'Three']);
  expect(feed.problems).toContain('an item was not closed');
});

it('reads a feed after warnings of the server', () => {
  const problem = 'something is before the feed, such as warnings of the server';
  for (const before of [
    '<br />\n<b>Warning</b>: Undefined index\n',
    'Warning: Undefined index\n',
    '<br><b>Warning</b>',
  ]) {
    const feed = readFeed(`${before}<?xml version="1.0"?>${channel('<item><title>One</title></item>')}`);
    expect(titles(feed)).toEqual(['One']);
    expect(feed.problems).toContain(problem);
  }
});

it('reads items after the end of the channel or of the document', () => {
  const feed = readFeed(
    '<rss><channel><title>T</title></channel><item><title>One</title></item></rss><item><title>Two</title></item>',
  );
  expect(titles(feed)).toEqual(['One', 'Two']);
});

it('ignores end tags that end nothing', () => {
  const feed = readFeed(channel('<item></b><title>One</i></title></item></item><item><title>Two</title></item>'));
  expect(titles(feed)).toEqual(['One', 'Two']);
});

it('reads names in any case', () => {
  const feed = readFeed('<RSS><Channel><ITEM><Title>One</Title><PubDate>2026-11-26</PubDate></ITEM></Channel></RSS>');
  expect(feed.items).toMatchObject([{ title: 'One', publishedAt: Date.parse('2026-11-26') }]);
});

it('does not call a well-formed feed repaired', () => {
  const feed = readFeed(`<?xml version="1.0"?><!-- a < b & c --><!DOCTYPE rss [<!ENTITY pub "Times">]>
    <?pi <a> ?>${channel('<item><title>Times &amp; &#233;</title><a/><b x="1"/><c><![CDATA[<d> & ]]></c></item>')}`);
  expect(feed).toMatchObject({ repaired: false, problems: [], items: [{ title: 'Times & é' }] });
});

const JSON_FEED =
  '{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [{"id": "1", "title": "One"}]}';

it.each([
  ['a comma after the last element', JSON_FEED.replace('"One"}]', '"One", } ,\n]'), 'a comma has nothing after it'],
  ['line ends and controls in a text', JSON_FEED.replace('One', 'O\n\u0001ne'), 'a control character was not escaped'],
  [
    'warnings before it and a comment after it',
    `<br />\n<b>Warning</b>: x in {main}\n${JSON_FEED}<!-- cached -->`,
    'something is around the feed, such as warnings of the server',
  ],
  [
    'slashes that are escaped, in a call',
    `show(${JSON_FEED.replaceAll('/', '\\/')});`,
    'something is around the feed, such as warnings of the server',
  ],
])('reads a JSON Feed with %s', (_name, document, problem) => {
  const feed = readFeed(document);
  expect(feed).toMatchObject({ title: 'T', repaired: true, problems: [problem], items: [{ id: '1' }] });
  expect(titles(feed)[0]).toMatch(/^O ?ne$/);
});

it('keeps what looks like an error within a text of a JSON Feed', () => {
  const title = ', ] } \\ " ,]';
  const feed = JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', items: [{ id: '1', title }] });
  expect(titles(readFeed(feed.replace('}]}', '},]}')))).toEqual([title]);
  expect(readFeed(`\ufeff${feed}\n`)).toMatchObject({ repaired: false, problems: [] });
});

it('repairs a JSON Feed in which any element has a comma after it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: fc.uuid(), title: anyText(20) }), { minLength: 1 }),
      anyText(5),
      (items, before) => {
        const json = JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', items }, null, 1);
        const broken = json.replaceAll(/\n *[\]}]/g, ',$&');
        const around = before.replace(/[{<]/g, '');
        const read = (document: string): unknown => readFeed(document).items;
        expect(read(around + broken)).toEqual(read(json));
      },
    ),
  );
});
