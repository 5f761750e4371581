import { describe, expect, it } from 'vitest';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { checkFeed, PLATFORM_IDS, type PlatformId } from '../../../src/feeds/feed-check/platforms.ts';
import { NOW } from '../../support/clock.ts';
import { sampleConfig, sampleStories } from '../../support/sample.ts';

const URL = 'https://news.example.com/feeds/latest.rss';
const ITEM = `<title>A "headline" of an item &amp; more</title><link>https://news.example.com/a</link><guid>tag:a</guid>
<pubDate>Tue, 24 Nov 2026 12:43:00 GMT</pubDate><content:encoded><![CDATA[<p>Text</p>]]></content:encoded>`;
const PHOTO = `<media:content url="https://news.example.com/a.jpg" type="image/jpeg" medium="image" width="1200" height="800">
<media:credit>Lin Hao</media:credit></media:content><media:thumbnail url="https://news.example.com/a-s.jpg"/>`;
const CHANNEL = `<title>News</title><link>https://news.example.com/</link><description>All news</description>
<language>en</language><pubDate>Tue, 24 Nov 2026 12:43:00 GMT</pubDate><snf:logo><url>https://news.example.com/logo.png</url></snf:logo>`;
const AUDIO =
  '<enclosure url="https://news.example.com/a.mp3" type="audio/mpeg" length="1000"/><itunes:duration>90</itunes:duration>';
const PODCAST = `<itunes:image href="https://news.example.com/a.jpg"/><itunes:category text="News"/>
<itunes:explicit>false</itunes:explicit><itunes:author>News</itunes:author>`;

/** A feed of these items. */
function rss(items: string[], channel = CHANNEL): Buffer {
  const prefixes = {
    content: 'http://purl.org/rss/1.0/modules/content/',
    media: 'http://search.yahoo.com/mrss/',
    dcterms: 'http://purl.org/dc/terms/',
    itunes: 'http://www.itunes.com/dtds/podcast-1.0.dtd',
    snf: 'http://www.smartnews.be/snf',
  };
  const namespaces = Object.entries(prefixes).map(([prefix, url]) => `xmlns:${prefix}="${url}"`);
  const all = items.map((item) => `<item>${item}</item>`).join('');
  return Buffer.from(
    `<?xml version="1.0"?><rss version="2.0" ${namespaces.join(' ')}><channel>${channel}${all}</channel></rss>`,
  );
}

/** The rules that a feed does not meet: outcome, rule, finding and change. */
function broken(platform: PlatformId, document: Buffer): string[] {
  const [checked] = checkFeed(document, URL, platform);
  expect(checked?.rules.length).toBeGreaterThan(4);
  return (checked?.rules ?? []).flatMap(({ outcome, rule, found, change }) =>
    outcome === 'breaks' || outcome === 'advised' ? [`${outcome}: ${rule}: ${found}: ${change}`] : [],
  );
}

const FULL = Array.from({ length: 30 }, () => ITEM + PHOTO);

describe('the check of a feed', () => {
  it('finds nothing in a feed that meets all rules of a platform', () => {
    for (const platform of PLATFORM_IDS) {
      const items = platform === 'apple-podcasts' ? [ITEM + AUDIO] : FULL;
      expect([platform, ...broken(platform, rss(items, CHANNEL + PODCAST))]).toEqual([platform]);
    }
  });

  it('names a rule that is broken, the first item that breaks it, and what to change', () => {
    const without = ITEM.replace(/<guid>.*<\/guid>/, '').replace(/<content:encoded>.*<\/content:encoded>/, '');
    expect(broken('google-news', rss([...FULL, without, without]))).toEqual([
      'breaks: each item has guid: 2 of 32 items do not, first "A "headline" of an item & more": report it: daywire always writes it',
    ]);
    expect(
      broken('smartnews', rss([without], '<title>News</title><link> </link>')).map((one) => one.split(':')[1]),
    ).toEqual([
      ...[
        ' the channel has link',
        ' the channel has description',
        ' the channel has pubDate',
        ' the channel has language',
        ' each item has guid',
        ' each item has its full text',
      ],
      ...[' the channel has snf', ' each item has media'],
    ]);
  });

  it('tells advice from rules', () => {
    expect(broken('smartnews', rss([ITEM], CHANNEL.replace(/<snf.*/, '')))).toEqual([
      'advised: the channel has snf:logo: none: daywire does not write it',
      'advised: each item has media:thumbnail: 1 of 1 items do not, first "A "headline" of an item & more": give the articles an image',
    ]);
    const long = CHANNEL.replace('All news', 'All news of technology, and of business');
    expect(broken('smartnews', rss(FULL, long))).toEqual([
      'advised: the channel has a description of at most 30 characters: All news of technology, and of business: shorten it',
    ]);
    expect(broken('msn', rss([ITEM]))).toEqual([expect.stringMatching(/^advised: each item has an image: 1 of 1/)]);
  });

  it('knows that Flipboard takes a feed of 30 items that all have an image', () => {
    expect(broken('flipboard', rss([...FULL.slice(2), ITEM]))).toEqual([
      expect.stringMatching(/^breaks: each item has an image, at least 400 pixels wide and high: 1 of 29/),
      'breaks: the feed has at least 30 items: 29: select more articles',
    ]);
  });

  it.each<[PlatformId, string, string, string]>([
    ['msn', 'the title of an item has 21 to 150 characters', 'of an item', ''],
    ['msn', 'the title of an item has 21 to 150 characters', 'of an item', 'of an item'.repeat(14)],
    [
      'msn',
      'dcterms:modified of an item is not before pubDate',
      '</content>',
      '<dcterms:modified>2020-01-01T00:00:00Z</dcterms:modified>',
    ],
    ['flipboard', 'each item has an image, at least 400 pixels wide and high', 'width="1200"', 'width="399"'],
    ['flipboard', 'each item has an image, at least 400 pixels wide and high', 'height="800"', 'height="399"'],
    ['apple-podcasts', 'each item has a file that Apple plays', 'audio/mpeg', 'audio/ogg'],
    ['apple-podcasts', 'each item has a file that Apple plays', 'length="1000"', 'length="0"'],
    ['apple-podcasts', 'each item has a file that Apple plays', 'a.mp3"', 'a"'],
    ['apple-podcasts', 'the channel has language', 'en</language>', 'yue</language>'],
    ['apple-podcasts', 'the channel has itunes:image', 'a.jpg"/>', 'a.webp"/>'],
    ['apple-podcasts', 'the channel has itunes:category', '<itunes:category text="News"/>', ''],
  ])('of %s finds where this is broken: %s', (platform, rule, from, to) => {
    const items = [...FULL, ...FULL].map((item) => item + AUDIO);
    const whole = rss(items, PODCAST + CHANNEL).toString();
    expect(broken(platform, Buffer.from(whole))).toEqual([]);
    const changed = from === '</content>' ? whole.replace('</item>', `${to}</item>`) : whole.replace(from, to);
    expect(broken(platform, Buffer.from(changed))).toEqual([expect.stringMatching(new RegExp(`^breaks: ${rule}`))]);
  });

  it('judges a podcast only where there is audio or video, unless it is asked for', () => {
    const platforms = (document: Buffer): PlatformId[] => checkFeed(document, URL).map(({ platform }) => platform);
    expect(platforms(rss(FULL))).toEqual(['smartnews', 'msn', 'flipboard', 'google-news']);
    expect(platforms(rss([ITEM + AUDIO]))).toEqual(PLATFORM_IDS);
    expect(broken('apple-podcasts', rss(FULL))).toHaveLength(5);
  });

  it('has no rule that an item without images or changes breaks', () => {
    expect(broken('msn', rss([ITEM])).filter((line) => line.startsWith('breaks'))).toEqual([]);
    expect(checkFeed(rss([]), URL, 'msn')[0]?.rules.map(({ outcome }) => outcome)).toEqual(
      Array(9).fill('not applicable'),
    );
  });

  it('counts the bytes of the document', () => {
    const large = ITEM.replace('Text', '文'.repeat(340_000));
    const change = 'set "content: summary", or a smaller windowHours';
    expect(broken('smartnews', rss([large + PHOTO]))).toEqual([
      `advised: the document has at most 1 MB: 1.02 MB: ${change}`,
    ]);
    expect(broken('google-news', rss([large]))).toEqual([]);
    expect(broken('google-news', rss([large, large]))).toEqual([
      `breaks: the document has at most 2 MB: 2.04 MB: ${change}`,
    ]);
  });

  it('shows what others wrote as one line without control characters', () => {
    const item = ITEM.replace('A "headline" of an item', '\u202e\u009b31mRed\n\u001b[0m');
    const [line = ''] = broken('smartnews', rss([item.replace('<guid>tag:a</guid>', '')]));
    expect(line).toMatch(/first "31mRed \[0m & more"/);
  });

  it('finds that the feed of the sample newsroom can go to news apps, where stories without pictures may', async () => {
    const articles = await sampleStories(NOW);
    const config = sampleConfig();
    const feed = config.feeds.find(({ id }) => id === 'latest');
    const shown = articles.filter(({ status }) => status.state === 'published').slice(0, 40);
    expect(shown.length).toBeGreaterThan(20);
    const { documents } = buildFeed(feed as NonNullable<typeof feed>, config, { articles: shown, retracted: [] });
    const document = Buffer.from(documents.find(({ path }) => path === 'latest.rss')?.body ?? '');
    const breaks = checkFeed(document, URL).flatMap(({ platform, rules }) =>
      rules.flatMap(({ outcome, rule }) => (outcome === 'breaks' ? [`${platform}: ${rule}`] : [])),
    );
    expect(breaks).toEqual(['flipboard: each item has an image, at least 400 pixels wide and high']);
  });
});
