/** Writes RSS 2.0 with the package `feed`, and adds what the package omits. */
import { Feed, type Item } from 'feed';
import { escapeHtml } from '../../lib/text/html.ts';
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
import { enclosuresOf, type FeedItem, type FeedView } from './feed-view.ts';
import { aroundBodies, historyElements, MEDIA_NAMESPACE, mediaElements } from './xml-extensions.ts';

/** Minutes for which a reader may cache the feed (RSS 2.0, ttl): as max-age in feeds/pages/decide-response.ts. */
const TTL_MINUTES = 5;

/** @param updatedAt see `feedUpdated` */
export function rssFrame(view: FeedView, updatedAt: number): Frame {
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
    ...(view.rights === null ? {} : { copyright: slots.text(view.rights) }),
  });
  const end = '\n    </channel>\n</rss>';
  const [channel] = splitAt(feed.rss2(), end);
  const [head = '', tail = ''] = slots.fill([completeHead(channel, view, slots), `${end}\n`]);
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
    `xmlns:media="${MEDIA_NAMESPACE}"`,
  ].join(' ');
  const rss = `<rss version="2.0" ${namespaces} xml:lang="${slots.text(view.language)}">`;
  const self = 'rel="self" type="application/rss+xml"/>';
  const completed = replaceMark(head, self, self + historyElements(view, 'rss', slots, '\n        '));
  return replaceMark(replaceMark(completed, 'type="text/xsl"', 'type="text/css"'), root, rss);
}

/** The body as a CDATA section is put between. */
export const RSS_BODY: BodyPlace = { open: '\n            <content:encoded>', close: '</content:encoded>' };

/** Renders items with one call of the package. @param feedLanguage BCP 47 */
export function rssItems(items: FeedItem[], feedLanguage: string): ItemText[] {
  const slots = openSlots();
  const feed = new Feed(ITEMS_ONLY);
  for (const item of items) {
    const enclosures = enclosuresOf(item.media);
    const enclosure = enclosures.find(({ medium }) => medium === 'audio' || medium === 'video') ?? enclosures[0];
    feed.addItem({
      title: slots.text(item.title),
      id: slots.text(item.id),
      link: slots.text(item.url),
      date: new Date(item.publishedAt),
      // By convention, an RSS description is HTML; the dek is plain text.
      description: slots.html(escapeHtml(item.summary)),
      category: item.categories.map((name) => ({ name: slots.text(name) })),
      extensions: extensions(
        item.authors.map(({ name }) => name),
        item.language,
        feedLanguage,
        slots,
      ),
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
    const open = item.language === feedLanguage ? '<item>' : `<item xml:lang="${slots.text(item.language)}">`;
    const media = mediaElements(item.media, slots).map((element) => `    ${element}\n        `);
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

function extensions(
  creators: string[],
  language: string,
  feedLanguage: string,
  slots: Slots,
): Item['extensions'] & object {
  const elements = (texts: string[]): Record<string, unknown> =>
    // The package writes an element for each entry of a list, although its type requires an object.
    texts.map((text) => ({ _text: slots.text(text) })) as unknown as Record<string, unknown>;
  return [
    ...(creators.length === 0 ? [] : [{ name: 'dc:creator', objects: elements(creators) }]),
    ...(language === feedLanguage ? [] : [{ name: 'dc:language', objects: elements([language]) }]),
  ];
}
