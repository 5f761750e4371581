/** Writes RSS 2.0 with the package `feed`, and adds what the package omits. */
import { Feed, type Item } from 'feed';
import { iconUrl } from '../../core/config/site-view.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { rfc3339, SECOND } from '../../lib/time.ts';
import {
  BODY_MARK,
  type BodyPlace,
  type Frame,
  ITEMS_ONLY,
  type ItemText,
  openSlots,
  replaceMark,
  type Slots,
  splitAt,
  splitItems,
} from './feed-package.ts';
import {
  channelPicture,
  enclosuresOf,
  type FeedEnclosure,
  type FeedItem,
  type FeedView,
  type ItemsView,
  isPlayable,
} from './feed-view.ts';
import { PODCAST_NAMESPACES, podcastElements } from './podcast.ts';
import { aroundBodies, MEDIA_NAMESPACE, mediaElements } from './xml-extensions.ts';

/** Minutes for which a reader may cache the feed (RSS 2.0, ttl): as max-age in feeds/pages/decide-response.ts. */
const TTL_MINUTES = 5;

/** @param updatedAt see `feedUpdated` @param publishedAt of the newest item */
export function rssFrame(view: FeedView, updatedAt: number, publishedAt: number | null): Frame {
  const slots = openSlots();
  const feed = new Feed({
    title: slots.text(view.title),
    link: slots.text(view.siteUrl),
    description: slots.text(view.description),
    language: slots.text(view.language),
    updated: new Date(updatedAt),
    generator: 'daywire',
    docs: 'https://www.rssboard.org/rss-specification',
    ttl: TTL_MINUTES,
    stylesheet: view.stylesheet,
    feedLinks: { rss: slots.text(view.urls.rss) },
    ...(view.hub === null ? {} : { hub: slots.text(view.hub) }),
    ...(view.publication.copyright === undefined ? {} : { copyright: slots.text(view.publication.copyright) }),
  });
  const end = '\n    </channel>\n</rss>';
  const [channel] = splitAt(feed.rss2(), end);
  const more = channelElements(view, publishedAt, slots).map((element) => BETWEEN + element);
  const [head = '', tail = ''] = slots.fill([completeHead(channel, view, slots) + more.join(''), `${end}\n`]);
  return { head, first: BETWEEN, between: BETWEEN, tail };
}

/** The text between two items, as the package writes it. */
const BETWEEN = '\n        ';

function completeHead(head: string, view: FeedView, slots: Slots): string {
  const root = head.slice(head.indexOf('<rss '), head.indexOf('>', head.indexOf('<rss ')) + 1);
  const namespaces = [
    'xmlns:atom="http://www.w3.org/2005/Atom"',
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"',
    'xmlns:dc="http://purl.org/dc/elements/1.1/"',
    'xmlns:dcterms="http://purl.org/dc/terms/"',
    `xmlns:media="${MEDIA_NAMESPACE}"`,
    'xmlns:webfeeds="http://webfeeds.org/rss/1.0"',
    ...(view.podcast === undefined ? [] : PODCAST_NAMESPACES),
  ].join(' ');
  const rss = `<rss version="2.0" ${namespaces} xml:lang="${slots.text(view.language)}">`;
  return replaceMark(replaceMark(head, 'type="text/xsl"', 'type="text/css"'), root, rss);
}

/** Elements that the package omits, or writes with one slot in two places. */
function channelElements(view: FeedView, publishedAt: number | null, slots: Slots): string[] {
  const { publication, podcast } = view;
  const { url, accent } = publication;
  const element = (name: string, text: string): string => `<${name}>${slots.text(text)}</${name}>`;
  const cover = channelPicture(publication.cover, publication);
  // RSS 2.0: title and link are those of the channel, and the width is at most 144.
  const image = element('url', iconUrl(url, 144)) + element('title', view.title) + element('link', view.siteUrl);
  return [
    ...(publishedAt === null ? [] : [element('pubDate', new Date(publishedAt).toUTCString())]),
    `<image>${image}<width>144</width><height>144</height></image>`,
    // Feedly, and readers that follow it.
    element('webfeeds:icon', channelPicture(publication.icon, publication) ?? `${url}/favicon.svg`),
    element('webfeeds:accentColor', accent.light.slice(1)),
    ...(cover === null ? [] : [`<webfeeds:cover image="${slots.text(cover)}"/>`]),
    ...(podcast === undefined ? [] : podcastElements(podcast, view, slots)),
  ];
}

/** The body as a CDATA section is put between. */
export const RSS_BODY: BodyPlace = { open: '\n            <content:encoded>', close: '</content:encoded>' };

/** Renders items with one call of the package. */
export function rssItems(items: FeedItem[], { language, podcast }: ItemsView): ItemText[] {
  const slots = openSlots();
  const feed = new Feed(ITEMS_ONLY);
  for (const item of items) {
    const enclosure = enclosureOf(item, podcast);
    feed.addItem({
      title: slots.text(item.title),
      id: slots.text(item.id),
      link: slots.text(item.url),
      date: new Date(item.publishedAt),
      // By convention, an RSS description is HTML; the dek is plain text.
      description: slots.html(escapeHtml(item.summary)),
      category: item.categories.map((name) => ({ name: slots.text(name) })),
      extensions: extensions(item, { language, duration: podcast && enclosure?.duration }, slots),
      content: BODY_MARK,
      // RSS allows one (the validator's DuplicateEnclosure), 0 bytes being unknown; media:content has all files.
      ...(enclosure === undefined
        ? {}
        : {
            enclosure: { url: slots.text(enclosure.url), type: slots.text(enclosure.type), length: enclosure.length },
          }),
    });
  }
  const marks = { open: '<item>', close: '</item>', between: BETWEEN };
  const skeletons = splitItems(feed.rss2(), marks, items.length);
  const parts = items.flatMap((item, index) => {
    const open = item.language === language ? '<item>' : `<item xml:lang="${slots.text(item.language)}">`;
    const media = mediaElements(item, slots).map((element) => `    ${element}\n        `);
    const extra = `${sourceElement(item, slots)}${media.join('')}`;
    const completed = open + replaceMark(skeletons[index] as string, '</item>', `${extra}</item>`);
    return splitAt(completed, `${RSS_BODY.open}<![CDATA[${BODY_MARK}]]>${RSS_BODY.close}`);
  });
  return aroundBodies(slots.fill(parts));
}

/** The outlet of a roundup item. The package writes no `source` (RSS 2.0, item). */
function sourceElement({ report }: FeedItem, slots: Slots): string {
  return report === null
    ? ''
    : `    <source url="${slots.text(report.url)}">${slots.text(report.outlet)}</source>\n        `;
}

/** The one that RSS allows. In a podcast, a picture would be an episode that cannot be played. */
function enclosureOf({ media }: FeedItem, podcast: ItemsView['podcast']): FeedEnclosure | undefined {
  const [first] = enclosuresOf(media);
  if (first === undefined || podcast === undefined) return first;
  // Apple requires its own name of the type (A Podcaster's Guide to RSS, enclosure).
  return isPlayable(first) ? { ...first, type: first.type.replace(/^audio\/mp4$/i, 'audio/x-m4a') } : undefined;
}

/** @param feed its language, and the duration of the item if the feed is a podcast */
function extensions(
  { byline, language, publishedAt, updatedAt }: FeedItem,
  feed: { language: string; duration: number | null | undefined },
  slots: Slots,
): Item['extensions'] & object {
  const elements = {
    'dc:creator': [byline],
    'dc:language': language === feed.language ? [] : [language],
    // MSN takes an edit only from an item with a later date than that of its publication.
    'dcterms:modified': updatedAt - publishedAt < SECOND ? [] : [rfc3339(updatedAt)],
    'itunes:duration': feed.duration ? [String(feed.duration)] : [],
  };
  return Object.entries(elements).flatMap(([name, texts]) => {
    // The package writes an element for each entry of a list, although its type requires an object.
    const objects = texts.map((text) => ({ _text: slots.text(text) })) as unknown as Record<string, unknown>;
    return texts.length === 0 ? [] : { name, objects };
  });
}
