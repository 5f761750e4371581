/**
 * What news apps require of an RSS feed. Source: copies of their published pages, read in November 2026; the pages
 * themselves could not be opened. What the copies did not show is left out, except the parts of an item that SmartNews
 * requires, and what a feed does not show, such as the quality of pictures.
 */
import { textOf, type XmlElement } from '../../sources/feed/xml-element.ts';
import { readXmlFeed } from '../../sources/feed/xml-reader.ts';
import { below, channelHas, eachItem, type FeedRule, hasText, titleOf, wholeFeed } from './feed-rules.ts';

interface Platform {
  /** Where its rules are published. */
  source: string;
  rules: FeedRule[];
  /** What the platform advises. */
  advice?: FeedRule[];
}

const DAYWIRE = 'report it: daywire always writes it';
const PODCAST = 'set "podcast" of the feed';
const IMAGE = 'give the articles an image';

const hasEach = (names: string[]): FeedRule[] =>
  names.map((name) => eachItem(`each item has ${name}`, DAYWIRE, (item) => hasText(item, name)));
const ITEM = hasEach(['title', 'link', 'guid', 'pubDate']);
const ofChannel = (name: string): FeedRule => channelHas(name, `set the ${name} of the feed`);
const BODY = eachItem('each item has its full text', 'set "content: full", and give the articles a body', (item) =>
  hasText(item, 'content:encoded'),
);
const BYTES = (most: number): FeedRule =>
  wholeFeed(
    `the document has at most ${most / 1e6} MB`,
    'set "content: summary", or a smaller windowHours',
    ({ bytes }) => [bytes <= most, `${(bytes / 1e6).toFixed(2)} MB`],
  );

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
    rules: [
      ...['title', 'link', 'description'].map(ofChannel),
      ...[channelHas('pubDate', 'publish an article'), channelHas('language', DAYWIRE), ...ITEM, BODY],
    ],
    advice: [
      channelHas('snf:logo', 'daywire does not write it'),
      channelHas('description', 'shorten it', /^.{0,30}$/su, 'a description of at most 30 characters'),
      eachItem('each item has media:thumbnail', IMAGE, (item) =>
        below(item, 'media:thumbnail').some(({ attributes: { url } }) => url),
      ),
      BYTES(1e6),
    ],
  },
  msn: {
    source:
      'https://support.microsoft.com/topic/msn-feed-item-metadata-requirements-0114c19c-36bb-4fef-8322-4a1ed6888329',
    rules: [
      ...[...ITEM, BODY],
      eachItem('the title of an item has 21 to 150 characters', 'change the headline', (item) =>
        /^.{21,150}$/u.test(titleOf(item)),
      ),
      eachItem('dcterms:modified of an item is not before pubDate', DAYWIRE, (item) => {
        const [modified, published] = ['dcterms:modified', 'rss:pubdate'].map((name) => below(item, name)[0]);
        return modified && published ? Date.parse(textOf(modified)) >= Date.parse(textOf(published)) : null;
      }),
    ],
    advice: [
      // Only such articles are published without a person.
      eachItem('each item has an image', IMAGE, (item) => imagesOf(item).length > 0),
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
      eachItem('each item has an image, at least 400 pixels wide and high', IMAGE, (item) =>
        imagesOf(item).some(({ attributes: { width = 400, height = 400 } }) => Math.min(+width, +height) >= 400),
      ),
      wholeFeed('the feed has at least 30 items', 'select more articles', ({ items: { length } }) => [
        length >= 30,
        `${length}`,
      ]),
    ],
  },
  'apple-podcasts': {
    source: 'https://podcasters.apple.com/support/823-podcast-requirements',
    rules: [
      ...['title', 'description'].map(ofChannel),
      channelHas('language', 'set the language of the feed to an ISO 639 code of two letters', /^[a-z]{2}(?:-|$)/i),
      channelHas('itunes:image', 'set podcast.image of the feed to a JPEG or PNG file', /\.(?:jpe?g|png)$/i),
      ...[channelHas('itunes:category', PODCAST), channelHas('itunes:explicit', PODCAST), ...hasEach(['title'])],
      eachItem('each item has a file that Apple plays', 'select MP3, M4A, MP4, MOV, M4V; state sizes', (item) => {
        const { url = '', length, type = '' } = episodeOf(item) ?? {};
        const isPlayed = /^(?:audio\/(?:mpeg|x-m4a)|video\/(?:mp4|x-m4v|quicktime))$/.test(type);
        return /\.(?:mp3|m4[av]|mp4|mov)(?:[?#]|$)/i.test(url) && Number(length) > 0 && isPlayed;
      }),
    ],
    advice: [
      ...[channelHas('link', DAYWIRE), channelHas('itunes:author', PODCAST), ...hasEach(['link', 'guid', 'pubDate'])],
      eachItem('each episode has itunes:duration', 'set duration beside the audio', (item) =>
        episodeOf(item) === null ? null : hasText(item, 'itunes:duration'),
      ),
    ],
  },
  'google-news': {
    source: 'https://support.google.com/news/publisher-center/answer/9545420',
    // An item of at most 1 MB, too: daywire leaves out bodies that would make the document larger (formats/fit.ts).
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
