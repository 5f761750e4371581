import { expect, it } from 'vitest';
import { htmlOf } from '../../../src/sources/feed/text-values.ts';
import { atomEntry, readFeed, readItem, rssItem } from './read-feed.ts';

it('resolves links and media against the address of the feed', () => {
  const item = readItem(rssItem('<link>../a?b=1&amp;c</link><enclosure url="/x.jpg" type="image/jpeg"/>'));
  expect(item.link).toBe('https://news.example.com/a?b=1&c');
  expect(item.images[0]?.url).toBe('https://news.example.com/x.jpg');
});

it('resolves the URLs of a text against the page of its item', () => {
  const item = readItem(rssItem('<link>https://w.example.com/a/b</link><description>&lt;a href="c"&gt;</description>'));
  expect(item.summary).toBe('<a href="https://w.example.com/a/c">');
});

it('follows xml:base on the feed, the entry, an element and within XHTML', () => {
  const { items } = readFeed(`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://w.example.com/one/">
    <entry><link href="a"/><summary type="html">&lt;img src="i.png"&gt;</summary></entry>
    <entry xml:base="two/"><link href="a"/><link rel="enclosure" type="image/png" href="i.png"/>
      <content type="html" xml:base="https://v.example.com/">&lt;img src="i.png"&gt;</content></entry>
    <entry xml:base="../three/"><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">
      <p xml:base="four/"><a href="a">a</a></p><a href="a">b</a></div></content></entry></feed>`);
  expect(items[0]).toMatchObject({
    link: 'https://w.example.com/one/a',
    summary: '<img src="https://w.example.com/one/i.png">',
  });
  expect(items[1]).toMatchObject({
    link: 'https://w.example.com/one/two/a',
    images: [{ url: 'https://w.example.com/one/two/i.png' }],
    content: '<img src="https://v.example.com/i.png">',
  });
  expect(items[2]?.content?.replace(/\s+/g, ' ')).toBe(
    '<p><a href="https://w.example.com/three/four/a">a</a></p><a href="https://w.example.com/three/a">b</a>',
  );
});

it('ignores an xml:base that is no address, and addresses that are not http', () => {
  const item = readItem(atomEntry('<link href="a"/>', ' xml:base="javascript:1"'));
  expect(item.link).toBe('https://news.example.com/feeds/a');
  expect(readItem(rssItem('<link>javascript:alert(1)</link>')).link).toBeNull();
  expect(readItem(rssItem('<link>https://user:secret@example.com/</link>')).link).toBeNull();
  expect(readItem(rssItem(`<link>https://example.com/${'a'.repeat(3_000)}</link>`)).link).toBeNull();
});

const BASE = 'https://example.com/a/b';

it.each([
  ['<a href="c?x=1&amp;y=2">', '<a href="https://example.com/a/c?x=1&amp;y=2">'],
  ['<a href=c>', '<a href="https://example.com/a/c">'],
  ['<A HREF="/c">x</A><b>', '<A href="https://example.com/c">x</A><b>'],
  ['<a title="href=\'x\'" href="https://o.example.com/c">', '<a title="href=\'x\'" href="https://o.example.com/c">'],
  [
    '<a href="mailto:a@example.com"><img src="c">',
    '<a href="mailto:a@example.com"><img src="https://example.com/a/c">',
  ],
  [
    '<img src="c" srcset="c 1x, /d 2x">',
    '<img src="https://example.com/a/c" srcset="https://example.com/a/c 1x, https://example.com/d 2x">',
  ],
  [
    '<img srcset="/i,w_1/c, d 2x,e 3x">',
    '<img srcset="https://example.com/i,w_1/c, https://example.com/a/d 2x,https://example.com/a/e 3x">',
  ],
  ['<!-- <a href="c"> -->', '<!-- <a href="c"> -->'],
  ['a < b <p>text src="c"</p>', 'a < b <p>text src="c"</p>'],
  ['<a href="c" <', '<a href="https://example.com/a/c" <'],
])('makes the URLs of HTML absolute and leaves the rest: %s', (html, resolved) => {
  expect(htmlOf({ kind: 'html', value: html }, BASE)).toBe(resolved);
});
