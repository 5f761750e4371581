import { expect, it } from 'vitest';
import { HOUR } from '../../../src/lib/time.ts';
import { MAX_SUMMARY } from '../../../src/outlets/items/usable-entry.ts';
import { readOutletFeed } from '../../../src/outlets/polling/read-outlet-feed.ts';
import { NOW } from '../../support/clock.ts';

function read(text: string) {
  const document = { bytes: Buffer.from(text), contentType: null, url: 'https://outlet.example.com/feed' };
  const result = readOutletFeed({ document, now: NOW });
  if (result.kind !== 'read') throw new Error(result.reason);
  return result.document;
}

const item = (more: string): string => `<item><title>Ferry &lt;b&gt;back&lt;/b&gt; &amp; on time</title>${more}</item>`;
const rss = (items: string, head = ''): string =>
  `<rss version="2.0"><channel><title>Times</title><language>en-gb</language>${head}${items}</channel></rss>`;

it('reads entries as plain text, with absolute addresses', () => {
  const { entries } = read(
    rss(
      item(`<link>/reports/1</link><guid>https://outlet.example.com/?p=1</guid>
        <pubDate>Tue, 24 Nov 2026 09:00:00 GMT</pubDate><enclosure url="/a.jpg" type="image/jpeg"/>
        <description>&lt;p&gt;The &lt;i&gt;ferry&lt;/i&gt; runs.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</description>`),
    ),
  );
  expect(entries).toEqual([
    {
      guid: 'https://outlet.example.com/?p=1',
      isPermaLink: true,
      link: 'https://outlet.example.com/reports/1',
      title: 'Ferry back & on time',
      summary: 'The ferry runs.',
      publishedAt: Date.parse('2026-11-24T09:00:00Z'),
      language: 'en-GB',
      imageUrl: 'https://outlet.example.com/a.jpg',
    },
  ]);
});

it('takes the date of an update where there is no other, and leaves out what is missing', () => {
  const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><entry><updated>2026-11-24T10:00:00Z</updated></entry></feed>`;
  expect(read(atom).entries).toEqual([
    {
      ...{ guid: null, isPermaLink: false, link: null, title: null, summary: null, language: null, imageUrl: null },
      publishedAt: Date.parse('2026-11-24T10:00:00Z'),
    },
  ]);
});

it('gives the median gap of its items', () => {
  const dated = [0, 2, 4, 20].map((hours) => item(`<pubDate>${new Date(NOW - hours * HOUR).toUTCString()}</pubDate>`));
  expect(read(rss(dated.join(''))).itemGap).toBe(2 * HOUR);
});

it('limits a summary, and the number of entries', () => {
  const long = `<description>${'😀'.repeat(MAX_SUMMARY)}</description>`;
  const [entry] = read(rss(item(`${long}<description>x</description>`))).entries;
  expect(entry?.summary?.length).toBe(MAX_SUMMARY);
  expect(entry?.summary?.isWellFormed()).toBe(true);
  const many = read(rss('<item><title>A</title></item>'.repeat(10_001)));
  expect(many.entries).toHaveLength(10_000);
  expect(many.problems).toEqual(['it has more than 10,000 items: the rest was not read']);
});
