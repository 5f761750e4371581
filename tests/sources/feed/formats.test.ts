import { expect, it } from 'vitest';
import { parseFeed } from '../../../src/sources/feed/parse-feed.ts';
import { atomEntry, FEED_URL, NOW, readFeed, readItem, rssItem } from './read-feed.ts';

const PICTURE = {
  ...{ url: 'https://cdn.example.com/a.jpg', type: null, length: null },
  ...{ width: null, height: null, alt: null, credit: null },
};

it('reads RSS 2.0 with its usual modules', () => {
  const feed = readFeed(`<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
<channel>
  <title>The Harbour Times</title>
  <link>https://harbour.example.com/</link>
  <atom:link href="https://harbour.example.com/feed/" rel="self" type="application/rss+xml"/>
  <atom:link href="https://hub.example.com/" rel="hub"/>
  <image><title>Logo</title><link>https://logo.example.com/</link></image>
  <language>en_GB</language>
  <item>
    <title>Ferry &amp; bridge</title>
    <link>https://harbour.example.com/2026/ferry/</link>
    <dc:creator><![CDATA[Ann Lee]]></dc:creator><dc:creator>Bo Chen</dc:creator>
    <pubDate>Thu, 26 Nov 2026 10:14:55 +0000</pubDate><atom:updated>2026-11-26T12:00:00Z</atom:updated>
    <category><![CDATA[Local]]></category><category>Transport</category>
    <guid isPermaLink="false"> https://harbour.example.com/?p=12 </guid>
    <description>The ferry is &lt;b&gt;back&lt;/b&gt;.</description>
    <content:encoded><![CDATA[<p>The ferry is back.</p>]]></content:encoded>
    <media:content url="https://cdn.example.com/a.jpg" type="image/jpeg" fileSize="1234" width="800" height="600">
      <media:description>The ferry</media:description><media:credit>Cy Woo</media:credit>
    </media:content>
    <media:thumbnail url="https://cdn.example.com/a-small.jpg" width="80"/>
    <enclosure url="https://cdn.example.com/a.mp3" length="99" type="audio/mpeg"/>
  </item>
</channel></rss>`);
  expect(feed).toEqual({
    title: 'The Harbour Times',
    language: 'en-GB',
    deleted: [],
    nextPage: null,
    repaired: false,
    problems: [],
    items: [
      {
        id: 'https://harbour.example.com/?p=12',
        isPermaLink: false,
        link: 'https://harbour.example.com/2026/ferry/',
        title: 'Ferry & bridge',
        summary: 'The ferry is <b>back</b>.',
        content: '<p>The ferry is back.</p>',
        authors: ['Ann Lee', 'Bo Chen'],
        categories: ['Local', 'Transport'],
        publishedAt: Date.parse('2026-11-26T10:14:55Z'),
        updatedAt: Date.parse('2026-11-26T12:00:00Z'),
        images: [
          { ...PICTURE, type: 'image/jpeg', length: 1234, width: 800, height: 600, alt: 'The ferry', credit: 'Cy Woo' },
          { ...PICTURE, url: 'https://cdn.example.com/a-small.jpg', width: 80 },
        ],
        enclosures: [{ url: 'https://cdn.example.com/a.mp3', type: 'audio/mpeg', length: 99, title: null }],
      },
    ],
  });
});

it('reads Atom 1.0: authors of the feed, kinds of content, links by relation and type', () => {
  const feed = readFeed(`<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
  <title type="html">Die &amp;lt;Zeitung&amp;gt;</title><id>urn:x</id>
  <link href="https://z.example.com/"/><link rel="self" href="https://z.example.com/atom"/>
  <author><name>Redaktion</name><uri>/team</uri></author>
  <entry>
    <id>tag:z.example.com,2026:1</id><title>a &lt;b&gt; c</title>
    <link rel="replies" href="https://z.example.com/1/replies"/>
    <link rel="alternate" type="application/pdf" href="https://z.example.com/1.pdf"/>
    <link rel="alternate" type="text/html" href="https://z.example.com/1"/>
    <link rel="enclosure" type="image/png" length="5" href="https://z.example.com/1.png"/>
    <category term="politik" label="Politik"/><category term="berlin"/>
    <published>2026-11-26T10:00:00+01:00</published><updated>2026-11-26T11:00:00+01:00</updated>
    <summary>1 &lt; 2</summary>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Text<br/>a &lt; b</p></div></content>
  </entry>
  <entry><author><name>Eva Roth</name><email>eva@example.com</email></author><title type="html">&lt;i&gt;Kurz&lt;/i&gt;</title></entry>
</feed>`);
  expect(feed).toMatchObject({
    title: 'Die <Zeitung>',
    language: 'de',
  });
  expect(feed.items).toMatchObject([
    {
      id: 'tag:z.example.com,2026:1',
      title: 'a <b> c',
      link: 'https://z.example.com/1',
      summary: '1 &lt; 2',
      content: '<p>Text<br>a &lt; b</p>',
      authors: ['Redaktion'],
      categories: ['Politik', 'berlin'],
      publishedAt: Date.parse('2026-11-26T09:00:00Z'),
      updatedAt: Date.parse('2026-11-26T10:00:00Z'),
      images: [{ url: 'https://z.example.com/1.png', type: 'image/png', length: 5 }],
    },
    { title: 'Kurz', authors: ['Eva Roth'] },
  ]);
});

it('reads Atom 0.3 with escaped and inline content', () => {
  const entry = (content: string): string =>
    `<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><issued>2026-11-26</issued>
      <modified>2026-11-26T01:00:00Z</modified>${content}</entry></feed>`;
  const contentOf = (attributes: string, value: string): string | null =>
    readItem(entry(`<content ${attributes}>${value}</content>`)).content;
  expect(contentOf('type="text/html" mode="escaped"', '&lt;p&gt;a&lt;/p&gt;')).toBe('<p>a</p>');
  expect(contentOf('mode="escaped"', '&lt;p&gt;a&lt;/p&gt;')).toBe('<p>a</p>');
  const inline = '<div xmlns="http://www.w3.org/1999/xhtml"><p title="&quot;">a</p></div>';
  expect(contentOf('type="application/xhtml+xml" mode="xml"', inline)).toBe('<p title="&quot;">a</p>');
  expect(readItem(entry('<title mode="escaped" type="text/html">A &amp;amp; B</title>'))).toMatchObject({
    title: 'A & B',
    publishedAt: Date.parse('2026-11-26'),
    updatedAt: Date.parse('2026-11-26T01:00:00Z'),
  });
});

it.each([
  ['text/markdown', 'Hello', 'Hello'],
  ['markdown', 'a &lt; b', 'a &lt; b'],
  ['image/png', 'iVBORw0KGgo=', null],
  ['application/xml', '&lt;p&gt;', '&lt;p&gt;'],
])('reads Atom content of the type %s', (type, written, content) => {
  expect(readItem(atomEntry(`<content type="${type}">${written}</content>`)).content).toBe(content);
});

it('reads RDF, and Atom and RSS whose elements have a prefix', () => {
  const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:r="http://purl.org/rss/1.0/"
    xmlns:d="http://purl.org/dc/elements/1.1/">
    <r:channel rdf:about="https://a.example.com/"><r:title>A</r:title><r:link>https://a.example.com/</r:link>
      <r:items><rdf:Seq><rdf:li resource="https://a.example.com/1"/></rdf:Seq></r:items></r:channel>
    <r:item rdf:about="https://a.example.com/1"><r:title>One</r:title><r:link>https://a.example.com/1?from=rss</r:link>
      <d:date>2026-11-26T10:00:00Z</d:date><d:creator>Ann Lee</d:creator><d:subject>World</d:subject></r:item></rdf:RDF>`;
  expect(readFeed(rdf)).toMatchObject({
    title: 'A',
    items: [
      {
        id: 'https://a.example.com/1',
        link: 'https://a.example.com/1?from=rss',
        title: 'One',
        authors: ['Ann Lee'],
        categories: ['World'],
        publishedAt: Date.parse('2026-11-26T10:00:00Z'),
      },
    ],
  });
  const atom = `<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>A</a:title><a:entry><a:title>One</a:title>
    <a:content type="xhtml"><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>Text</h:p></h:div></a:content></a:entry></a:feed>`;
  expect(readFeed(atom)).toMatchObject({ title: 'A', items: [{ title: 'One', content: '<p>Text</p>' }] });
  const oldRss = '<rss version="0.91"><channel><title>A</title></channel><item><title>One</title></item></rss>';
  expect(readFeed(oldRss)).toMatchObject({ title: 'A', items: [{ title: 'One' }] });
});

it('reads JSON Feed 1.0 and 1.1', () => {
  const feed = readFeed(
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'Times',
      home_page_url: 'https://t.example.com/',
      feed_url: 'https://t.example.com/feed.json',
      language: 'fr-ca',
      authors: ['Desk'],
      hubs: [{ type: 'WebSub', url: 'https://hub.example.com/' }],
      items: [
        {
          id: 7,
          url: 'https://t.example.com/a/b',
          title: 'A & <b>',
          content_html: '<p><a href="c">c</a></p>',
          summary: '1 < 2',
          image: '/i.webp',
          date_published: '2026-11-26T10:00:00+02:00',
          date_modified: 'never',
          tags: ['x', ' y '],
          attachments: [{ url: 'https://t.example.com/a.mp3', mime_type: 'Audio/MPEG', size_in_bytes: 12 }],
        },
        { id: 'b', content_text: 'One.\n\nTwo & three.', authors: ['Ann Lee'] },
      ],
    }),
  );
  expect(feed).toMatchObject({
    title: 'Times',
    language: 'fr-CA',
    repaired: false,
  });
  expect(feed.items).toMatchObject([
    {
      id: '7',
      link: 'https://t.example.com/a/b',
      title: 'A & <b>',
      content: '<p><a href="https://t.example.com/a/c">c</a></p>',
      summary: '1 &lt; 2',
      images: [{ url: 'https://news.example.com/i.webp' }],
      enclosures: [{ url: 'https://t.example.com/a.mp3', type: 'audio/mpeg', length: 12, title: null }],
      publishedAt: Date.parse('2026-11-26T08:00:00Z'),
      updatedAt: null,
      categories: ['x', 'y'],
      authors: ['Desk'],
    },
    { id: 'b', link: null, content: '<p>One.</p>\n<p>Two &amp; three.</p>', authors: ['Ann Lee'] },
  ]);
  const old = { version: 'https://jsonfeed.org/version/1', title: 'T', author: { name: 'Bo' }, items: [{ id: 'a' }] };
  expect(readFeed(JSON.stringify(old)).items).toMatchObject([{ id: 'a', authors: ['Bo'] }]);
});

it.each([
  ['plain', 'AT&amp;T &lt; B', 'AT&T < B'],
  ['HTML in an escaped form', '&lt;b&gt;Ferry&lt;/b&gt; &amp;amp; bridge&amp;#8217;s', 'Ferry & bridge’s'],
  ['HTML in CDATA', '<![CDATA[<em>Ferry</em>&nbsp;&amp; bridge<br>again]]>', 'Ferry\u00a0& bridge again'],
  ['a generic type, which is no markup', 'Vec&lt;T&gt; &amp; Map&lt;K, V&gt;', 'Vec<T> & Map<K, V>'],
  ['markup that was not escaped', 'The <i>Queen</i> sails', 'The Queen sails'],
  ['white space', '\n  Ferry\n\tback  ', 'Ferry back'],
])('reads a title of RSS as text, with %s', (_name, written, title) => {
  expect(readItem(rssItem(`<title>${written}</title>`)).title).toBe(title);
});

it.each([
  ['ann@example.com (Ann Lee)', ['Ann Lee']],
  ['Ann Lee <ann@example.com>', ['Ann Lee']],
  ['mailto:ann@example.com', []],
  ['Ann Lee', ['Ann Lee']],
])('reads the name of the author “%s”', (written, names) => {
  const { authors } = readItem(rssItem(`<author>${written.replace('<', '&lt;')}</author>`));
  expect(authors).toEqual(names);
});

it('takes the address from a guid that is a permalink, and from no other', () => {
  const guid = 'https://a.example.com/1';
  expect(readItem(rssItem(`<guid>${guid}</guid>`))).toMatchObject({ id: guid, isPermaLink: true, link: guid });
  expect(readItem(rssItem(`<guid isPermaLink="false">${guid}</guid>`))).toMatchObject({ id: guid, link: null });
  expect(readItem(rssItem('<guid>abc 1</guid>'))).toMatchObject({ id: 'abc 1', link: null });
  expect(readItem(rssItem(`<guid>${guid}</guid><link>/2</link>`)).link).toBe('https://news.example.com/2');
});

it('takes no date that is more than a day ahead, and none that cannot be read', () => {
  const publishedAt = (date: string): number | null => readItem(rssItem(`<pubDate>${date}</pubDate>`)).publishedAt;
  expect(publishedAt('Sat, 28 Nov 2026 08:00:00 GMT')).toBe(NOW + 86_400_000);
  expect(publishedAt('Sat, 28 Nov 2026 08:00:01 GMT')).toBeNull();
  expect(publishedAt('soon')).toBeNull();
  expect(readItem(atomEntry('<published>2036-01-01</published><issued>2026-01-02</issued>')).publishedAt).toBe(
    Date.parse('2026-01-02'),
  );
});

it('joins what several elements say about a picture, in a group too', () => {
  const { images } = readItem(
    rssItem(
      `<enclosure url="https://c.example.com/a.jpg" type="image/jpeg" length="0"/>
       <media:group><media:title>Harbour</media:title>
         <media:content url="https://c.example.com/a.jpg" fileSize="10" width="640px"/>
         <media:content url="https://c.example.com/v.mp4" medium="video" type="video/mp4"/></media:group>
       <media:content url="https://c.example.com/picture?id=1" medium="image"><media:title>Quay</media:title></media:content>
       <media:content url="javascript:alert(1)" medium="image"/>`,
      ' xmlns:media="http://search.yahoo.com/mrss/"',
    ),
  );
  expect(images).toMatchObject([
    { url: 'https://c.example.com/a.jpg', type: 'image/jpeg', length: 10, width: 640, alt: 'Harbour' },
    { url: 'https://c.example.com/picture?id=1', type: null, alt: 'Quay' },
  ]);
});

it('reads the enclosures of an item: audio, video and documents, but neither pictures nor players', () => {
  const { images, enclosures } = readItem(
    rssItem(
      `<media:group>
         <media:content url="https://c.example.com/talk.mp3" type="audio/mpeg"/>
         <media:content url="https://c.example.com/clip" medium="video" fileSize="7"/>
         <media:content url="https://v.example.com/player?v=1" type="application/x-shockwave-flash"/></media:group>
       <enclosure url="https://c.example.com/talk.mp3" length="4200"/>
       <enclosure url="/minutes.pdf" type="application/pdf; charset=binary" length="0"/>
       <enclosure url="https://c.example.com/a.png" type="image/png"/>
       <enclosure url="javascript:alert(1)" type="audio/mpeg"/>
       <atom:link rel="enclosure" href="https://c.example.com/t.ogg" type="audio/ogg" length="3" title="The talk"/>`,
      ' xmlns:media="http://search.yahoo.com/mrss/"',
    ),
  );
  expect(images.map(({ url }) => url)).toEqual(['https://c.example.com/a.png']);
  expect(enclosures).toEqual([
    { url: 'https://c.example.com/talk.mp3', type: 'audio/mpeg', length: 4200, title: null },
    { url: 'https://c.example.com/clip', type: null, length: 7, title: null },
    { url: 'https://news.example.com/minutes.pdf', type: 'application/pdf', length: null, title: null },
    { url: 'https://c.example.com/t.ogg', type: 'audio/ogg', length: 3, title: 'The talk' },
  ]);
});

const ITUNES = ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"';

it('reads title, author and summary of a podcast where the usual elements are missing or empty', () => {
  const podcast = `<itunes:title>Tides</itunes:title><itunes:author>Ann Lee</itunes:author><description/>
    <itunes:subtitle>Short.</itunes:subtitle><itunes:summary>How tides work.\n\nAnd why.</itunes:summary>`;
  const usual = '<title>Title</title><author>bo@example.com (Bo Chen)</author><description>Usual.</description>';
  expect(readItem(rssItem(podcast, ITUNES))).toMatchObject({
    ...{ title: 'Tides', authors: ['Ann Lee'], summary: '<p>How tides work.</p>\n<p>And why.</p>', content: null },
  });
  expect(readItem(rssItem(`${podcast.replace('<description/>', '')}${usual}`, ITUNES))).toMatchObject({
    ...{ title: 'Title', authors: ['Bo Chen'], summary: 'Usual.', content: null },
  });
  expect(
    readItem(rssItem('<itunes:subtitle>&lt;b&gt;A&lt;/b&gt; &amp;amp; B</itunes:subtitle>', ITUNES)),
  ).toMatchObject({
    summary: '<b>A</b> &amp; B',
  });
});

it('reads title and description of a video from its group', () => {
  const group = `<media:group><media:title>Harbour tour</media:title><media:description>Ten minutes.</media:description>
    <media:content url="https://c.example.com/tour.mp4" type="video/mp4"/></media:group>`;
  const video = readItem(atomEntry(group, ' xmlns:media="http://search.yahoo.com/mrss/"'));
  expect(video).toMatchObject({ title: 'Harbour tour', summary: 'Ten minutes.', enclosures: [{ type: 'video/mp4' }] });
});

it('reads dates as Unix time, in XML and in JSON', () => {
  const at = Date.parse('2026-11-26T10:00:00Z');
  expect(readItem(rssItem(`<pubDate>${at / 1_000}</pubDate>`)).publishedAt).toBe(at);
  const json = { version: 'https://jsonfeed.org/version/1.1', items: [{ id: 'a', date_published: at / 1_000 }] };
  expect(readItem(JSON.stringify(json)).publishedAt).toBe(at);
});

it('warns of the first title that has lost characters', () => {
  const items = ['Fine', 'A \ufffdclair', '\ufffd'].map((title) => `<item><title>${title}</title></item>`);
  const { problems, repaired } = readFeed(`<rss><channel>${items.join('')}</channel></rss>`);
  expect(problems).toEqual([
    "the feed's encoding is wrong: “A \ufffdclair” has lost characters; it must be valid UTF-8",
  ]);
  expect(repaired).toBe(false);
});

it('knows modules by their namespace, whatever the prefix, and by the usual prefix where none is declared', () => {
  const byNamespace = rssItem('<x:creator>Ann</x:creator>', ' xmlns:x="http://purl.org/dc/elements/1.1/"');
  expect(readItem(byNamespace).authors).toEqual(['Ann']);
  expect(readItem(rssItem('<dc:creator>Ann</dc:creator>')).authors).toEqual(['Ann']);
  const other = rssItem('<x:title>No</x:title><title>Yes</title>', ' xmlns:x="https://x.example.com/ns"');
  expect(readItem(other).title).toBe('Yes');
});

it('reads a feed the same whatever came before it, in another document or in its own', () => {
  const content = '<guid>7</guid><author>Ann Lee</author><pubDate>2026-11-26</pubDate>';
  const expected = readItem(rssItem(content));
  expect(expected).toMatchObject({ id: '7', authors: ['Ann Lee'] });
  readFeed(`<feed><entry>${content}</entry></feed>`);
  expect(readItem(rssItem(content))).toEqual(expected);
  expect(readItem(`<p>${content}</p>${rssItem(content)}`)).toEqual(expected);
});

it('says what a document is that is no feed', () => {
  const reasonOf = (document: string) =>
    parseFeed({ bytes: Buffer.from(document), contentType: null, url: FEED_URL }, NOW);
  const unreadable = (reason: string) => ({ kind: 'unreadable', reason });
  const utf32 = Buffer.from('3c0000003f000000', 'hex');
  expect(parseFeed({ bytes: utf32, contentType: null, url: FEED_URL }, NOW)).toEqual(
    unreadable('the document is in UTF-32 or EBCDIC, and not in UTF-8'),
  );
  expect(reasonOf(' \n')).toEqual(unreadable('the document is empty'));
  expect(reasonOf('<!doctype html><title>Times</title>')).toEqual(unreadable('the document is an HTML page'));
  expect(reasonOf('{"title": ')).toEqual(unreadable('the document is not valid JSON'));
  expect(reasonOf('{"message": "no"}')).toEqual(unreadable('the document is JSON, but no JSON Feed'));
  expect(reasonOf('<urlset><url/></urlset>')).toEqual(
    unreadable('the document is neither RSS, RDF, Atom nor JSON Feed: it begins with “<urlset><url/></urlset>”'),
  );
  // A picture with metadata, and a television guide.
  const rdf = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>';
  expect(reasonOf(`<svg><metadata>${rdf}</metadata></svg>`)).toMatchObject({ kind: 'unreadable' });
  expect(reasonOf('<tv><channel id="1"/></tv>')).toMatchObject({ kind: 'unreadable' });
  expect(readFeed('<rss><channel><title>Empty</title></channel></rss>')).toMatchObject({ title: 'Empty', items: [] });
});
