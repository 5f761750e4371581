/** Writes JSON Feed 1.1 with the package `feedsmith`. */
import { generateJsonFeed } from 'feedsmith';
import { iconUrl } from '../../core/config/site-view.ts';
import { BODY_MARK, type BodyPlace, type Frame, type ItemText, splitAt } from './feed-package.ts';
import { enclosuresOf, type FeedItem, type FeedView, type ItemsView } from './feed-view.ts';

export function jsonFrame(view: FeedView): Frame {
  // The package omits an empty list of items, which the format requires.
  const feed = generateJsonFeed({
    title: view.title,
    home_page_url: view.siteUrl,
    feed_url: view.urls.json,
    description: view.description,
    icon: iconUrl(view.publication.url, 512),
    favicon: iconUrl(view.publication.url, 96),
    authors: [{ name: view.publication.name, url: view.siteUrl }],
    language: view.language,
    ...(view.hub === null ? {} : { hubs: [{ type: 'WebSub', url: view.hub }] }),
    items: [],
  }) as object;
  const opening = JSON.stringify({ ...feed, items: [] }, null, 2).slice(0, -END.length);
  return { head: opening, first: '\n', between: ',\n', tail: `\n  ${END}\n` };
}

/** The end of a feed whose last member is its list of items. */
const END = ']\n}';

/** The body as JSON is put between. */
export const JSON_BODY: BodyPlace = { open: '"content_html": ', close: '' };

/** Renders items with one call of the package. */
export function jsonItems(items: FeedItem[], { language }: ItemsView): ItemText[] {
  // The package's result has no useful type.
  const { items: generated = [] } = generateJsonFeed({
    title: '',
    items: items.map((item) => jsonItem(item, language)),
  }) as { items?: object[] };
  if (generated.length !== items.length) {
    throw new Error(`the package "feedsmith" wrote ${generated.length} of ${items.length} items`);
  }
  return items.map(({ summary }, index) => {
    const text = JSON.stringify(generated[index], null, 2).replace(/^/gm, INDENT);
    // Nowhere else: a quotation mark inside a string is escaped.
    const [before, after] = splitAt(text, `${JSON_BODY.open}"${BODY_MARK}"`);
    // An item must have one of the two (JSON Feed 1.1, Items).
    return { before, summary: `"content_text": ${jsonValue(summary)}`, after };
  });
}

const INDENT = '    ';

/** A string as it is in a document: as the lines of an item, what follows a separator of lines is indented. */
export function jsonValue(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, `$&${INDENT}`);
}

function jsonItem(item: FeedItem, feedLanguage: string) {
  const enclosures = enclosuresOf(item.media);
  return {
    id: item.id,
    url: item.url,
    ...(item.report === null ? {} : { external_url: item.report.url }),
    title: item.title,
    content_html: BODY_MARK,
    summary: item.summary,
    ...(item.image === null ? {} : { image: item.image.url }),
    date_published: new Date(item.publishedAt),
    date_modified: new Date(item.updatedAt),
    authors: item.authors.map(({ name, email }) => ({
      name,
      ...(email === null ? {} : { url: `mailto:${email}` }),
    })),
    ...(item.categories.length === 0 ? {} : { tags: item.categories }),
    ...(item.language === feedLanguage ? {} : { language: item.language }),
    ...(enclosures.length === 0
      ? {}
      : {
          attachments: enclosures.map(({ url, type, title, length, duration }) => ({
            url,
            mime_type: type,
            ...(title === null ? {} : { title }),
            ...(length === 0 ? {} : { size_in_bytes: length }),
            ...(duration === null ? {} : { duration_in_seconds: duration }),
          })),
        }),
  };
}
