/** Writes JSON Feed 1.1 with the package `feedsmith`. */
import { generateJsonFeed } from 'feedsmith';
import { enclosuresOf, type FeedEntry, type FeedItem, type FeedView } from './feed-view.ts';

/** Same input, same bytes. */
export function renderJsonFeed(view: FeedView, entries: FeedEntry[]): string {
  const feed = generateJsonFeed({
    title: view.title,
    home_page_url: view.siteUrl,
    // An archive page is a further page of the feed: the next_url of the page before it is its URL.
    feed_url: (view.current ?? view.urls).json,
    ...(view.previous === null ? {} : { next_url: view.previous.json }),
    description: view.description,
    authors: [{ name: view.publication, url: view.siteUrl }],
    language: view.language,
    ...(view.hub === null ? {} : { hubs: [{ type: 'WebSub', url: view.hub }] }),
    items: entries.map(({ item, full }) => jsonItem(item, full)),
  }) as { items?: object[] };
  // The package's result has no useful type, and it omits an empty list of items, which the format requires.
  const { items = [], ...head } = feed;
  const opening = JSON.stringify({ ...head, items: [] }, null, 2).slice(0, -END.length);
  const lines = items.map((item) => `\n${JSON.stringify(item, null, 2).replace(/^/gm, '    ')}`);
  return `${opening}${lines.join(',')}\n  ${END}\n`;
}

/** The end of a feed whose last member is its list of items. */
const END = ']\n}';

function jsonItem(item: FeedItem, full: boolean) {
  const enclosures = enclosuresOf(item.media);
  return {
    id: item.id,
    url: item.url,
    ...(item.report === null ? {} : { external_url: item.report.url }),
    title: item.title,
    // An item must have one of the two (JSON Feed 1.1, Items).
    ...(full ? { content_html: item.html } : { content_text: item.summary }),
    summary: item.summary,
    ...(item.image === null ? {} : { image: item.image.url }),
    date_published: new Date(item.publishedAt),
    date_modified: new Date(item.updatedAt),
    ...(item.authors.length === 0
      ? {}
      : {
          authors: item.authors.map(({ name, email }) => ({
            name,
            ...(email === null ? {} : { url: `mailto:${email}` }),
          })),
        }),
    ...(item.categories.length === 0 ? {} : { tags: item.categories }),
    language: item.language,
    ...(enclosures.length === 0
      ? {}
      : {
          attachments: enclosures.map(({ url, type, title, length }) => ({
            url,
            mime_type: type,
            ...(title === null ? {} : { title }),
            size_in_bytes: length,
          })),
        }),
  };
}
