/**
 * What news apps require of an RSS feed. Their published rules could not be read when this was written (November 2026).
 * What is not certain is left out, and what a feed does not show, such as the quality of pictures.
 */
import { textOf, type XmlElement } from '../../sources/feed/xml-element.ts';
import { readXmlFeed } from '../../sources/feed/xml-reader.ts';
import { below, channelHas, eachItem, type FeedRule, hasText, wholeFeed } from './feed-rules.ts';

interface Platform {
  /** Where its rules are published. */
  source: string;
  rules: FeedRule[];
  /** What the platform advises. */
  advice?: FeedRule[];
}

const DAYWIRE = 'report it: daywire always writes it';
const PODCAST = 'set "podcast" of the feed';

const ITEM = ['title', 'link', 'guid', 'pubDate'].map((name) =>
  eachItem(`each item has ${name}`, DAYWIRE, (item) => hasText(item, name)),
);
const CHANNEL = ['title', 'link', 'description'].map((name) => channelHas(name, `set the ${name} of the feed`));
const BODY = eachItem('each item has its full text', 'set "content: full", and give the articles a body', (item) =>
  hasText(item, 'content:encoded'),
);
const BYTES = (most: number): FeedRule =>
  wholeFeed(`the document has at most ${most / 1e6} MB`, 'set "content: summary"', ({ bytes }) => [
    bytes <= most,
    `${(bytes / 1e6).toFixed(2)} MB`,
  ]);

function imagesOf(item: XmlElement): XmlElement[] {
  return below(item, 'media:content').filter(({ attributes: { medium } }) => medium === 'image');
}

/** The attributes of the enclosure if it is audio or video. */
function episodeOf(item: XmlElement): Record<string, string> | null {
  const { attributes = {} } = below(item, 'rss:enclosure')[0] ?? {};
  return /^(?:audio|video)\//.test(attributes.type ?? '') ? attributes : null;
}

const PLATFORMS: Record<'smartnews' | 'msn' | 'flipboard' | 'apple-podcasts' | 'google-news', Platform> = {
  smartnews: {
    source: 'https://publishers.smartnews.com/hc/en-us/articles/360036526213',
    rules: [...CHANNEL, ...ITEM, BODY, BYTES(1e6)],
    advice: [
      channelHas('snf:logo', 'daywire does not write it'),
      eachItem('each item has media:thumbnail', 'give the articles an image', (item) =>
        below(item, 'media:thumbnail').some(({ attributes: { url } }) => url),
      ),
    ],
  },
  msn: {
    source: 'https://helpcenter.microsoftnews.com/',
    rules: [
      ...[...ITEM, BODY],
      eachItem('dcterms:modified of an item is not before pubDate', DAYWIRE, (item) => {
        const [modified, published] = ['dcterms:modified', 'rss:pubdate'].map((name) => below(item, name)[0]);
        return modified && published ? Date.parse(textOf(modified)) >= Date.parse(textOf(published)) : null;
      }),
      eachItem('each image has media:credit', 'set image.credit of the articles', (item) => {
        const images = imagesOf(item);
        return images.length === 0 ? null : images.every((image) => hasText(image, 'media:credit'));
      }),
    ],
  },
  flipboard: {
    source: 'https://about.flipboard.com/rss-spec/',
    rules: [
      ...[...ITEM, BODY],
      eachItem('images of an item are 400 pixels wide or more', 'give the articles a larger image', (item) => {
        const widths = imagesOf(item).flatMap(({ attributes: { width } }) => (width ? Number(width) : []));
        return widths.length === 0 ? null : Math.min(...widths) >= 400;
      }),
    ],
    advice: [
      wholeFeed('the feed has at least 30 items', 'select more articles', ({ items: { length } }) => [
        length >= 30,
        `${length}`,
      ]),
    ],
  },
  'apple-podcasts': {
    source: 'https://podcasters.apple.com/support/823-podcast-requirements',
    rules: [
      ...[...CHANNEL, channelHas('language', DAYWIRE), channelHas('itunes:image', PODCAST, /\.(?:jpe?g|png)$/i)],
      ...[channelHas('itunes:category', PODCAST), channelHas('itunes:explicit', PODCAST), ...ITEM],
      eachItem('each item has a file that Apple plays', 'select MP3, M4A, MP4, MOV, M4V; state sizes', (item) => {
        const { url, length, type = '' } = episodeOf(item) ?? {};
        const isPlayed = /^(?:audio\/(?:mpeg|x-m4a)|video\/(?:mp4|x-m4v|quicktime))$/.test(type);
        return Boolean(url) && Number(length) > 0 && isPlayed;
      }),
    ],
  },
  'google-news': {
    source: 'https://support.google.com/news/publisher-center',
    // An item of at most 1 MB, too: no document of daywire is larger.
    rules: [...ITEM, BYTES(2e6)],
  },
};

export type PlatformId = keyof typeof PLATFORMS;
export const PLATFORM_IDS = Object.keys(PLATFORMS) as PlatformId[];

/** Judges a document by the rules of a platform, or of all that take such a feed. @param url of the document */
export function checkFeed(document: Buffer, url: string, chosen?: PlatformId) {
  const items: XmlElement[] = [];
  const { head } = readXmlFeed(document.toString(), url, (item) => items.push(item));
  const isNews = !items.some(episodeOf);
  const platforms = PLATFORM_IDS.filter((id) =>
    chosen === undefined ? id !== 'apple-podcasts' || !isNews : id === chosen,
  );
  return platforms.map((platform) => {
    const { source, rules, advice = [] } = PLATFORMS[platform];
    const checked = [...rules, ...advice].map(({ rule, change, judge }) => {
      const { outcome, found } = judge({ head, items, bytes: document.length });
      if (outcome !== 'breaks') return { rule, outcome, found, change: null };
      return { rule, outcome: rules.some((one) => one.rule === rule) ? outcome : ('advised' as const), found, change };
    });
    return { platform, source, rules: checked };
  });
}
