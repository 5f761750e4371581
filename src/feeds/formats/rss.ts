/** Writes RSS 2.0 with the package `feed`, and adds what the package omits. */
import { Feed, type Item } from 'feed';
import { escapeHtml } from '../../lib/html.ts';
import { openSlots, replaceMark, type Slots, splitItems } from './feed-package.ts';
import { enclosuresOf, type FeedEntry, type FeedItem, type FeedView, feedUpdated } from './feed-view.ts';
import { historyElements, MEDIA_NAMESPACE, mediaElements } from './xml-extensions.ts';

/** Minutes for which a reader may cache the feed (RSS 2.0, ttl): as max-age in http/feeds/decide-response.ts. */
const TTL_MINUTES = 5;

/** Same input, same bytes. */
export function renderRss(view: FeedView, entries: FeedEntry[]): string {
  const slots = openSlots();
  const feed = new Feed({
    title: slots.text(view.title),
    link: slots.text(view.siteUrl),
    description: slots.text(view.description),
    language: slots.text(view.language),
    updated: new Date(feedUpdated(view, entries)),
    generator: 'daywire',
    docs: 'https://www.rssboard.org/rss-specification',
    ttl: TTL_MINUTES,
    stylesheet: view.stylesheet,
    feedLinks: { rss: slots.text(view.urls.rss) },
    ...(view.hub === null ? {} : { hub: slots.text(view.hub) }),
    ...(view.rights === null ? {} : { copyright: slots.text(view.rights) }),
  });
  for (const { item, full } of entries) {
    const [enclosure] = enclosuresOf(item.media);
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
        view.language,
        slots,
      ),
      ...(full ? { content: slots.html(item.html) } : {}),
      // RSS allows one enclosure per item (the validator's DuplicateEnclosure); media:content has all files.
      ...(enclosure === undefined
        ? {}
        : {
            enclosure: { url: slots.text(enclosure.url), type: slots.text(enclosure.type), length: enclosure.length },
          }),
    });
  }
  return slots.fill(complete(feed.rss2(), view, entries, slots));
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

function complete(skeleton: string, view: FeedView, entries: FeedEntry[], slots: Slots): string {
  const { head, items, tail } = splitItems(skeleton, { open: '<item>', close: '</item>' }, entries.length);
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
  const styled = replaceMark(replaceMark(completed, 'type="text/xsl"', 'type="text/css"'), root, rss);
  const completedItems = entries.map(({ item }, index) => {
    const open = item.language === view.language ? '<item>' : `<item xml:lang="${slots.text(item.language)}">`;
    const media = mediaElements(item.media, slots).map((element) => `    ${element}\n        `);
    const extra = `${sourceElement(item, slots)}${media.join('')}`;
    return open + replaceMark(items[index] as string, '</item>', `${extra}</item>`);
  });
  return `${styled}${completedItems.join('')}${tail}\n`;
}
