/** JSON Feed 1.0 and 1.1, read with the package `feedsmith`. */
import { parseJsonFeed } from 'feedsmith';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { feedLanguageTag } from './language.ts';
import { looksLikeImage, mimeTypeOf, parsePositiveInteger } from './media.ts';
import {
  type FeedResult,
  MAX_ITEMS,
  MAX_PARTS,
  type ParsedAuthor,
  type ParsedEnclosure,
  type ParsedImage,
  type ParsedItem,
} from './parsed-feed.ts';
import { NO_HINTS } from './poll-hints.ts';
import { resolveAddress } from './resolve-urls.ts';
import { htmlOf, type TextValue, textLine } from './text-values.ts';
import { type ItemContext, idOf, usableDate } from './xml-item.ts';

type JsonDocument = ReturnType<typeof parseJsonFeed<string>>;
type JsonItem = NonNullable<JsonDocument['items']>[number];

export function readJsonFeed(document: string, context: ItemContext): FeedResult {
  let feed: JsonDocument;
  try {
    const value: unknown = JSON.parse(document);
    feed = parseJsonFeed(value, { maxItems: MAX_ITEMS + 1 });
  } catch (error) {
    const reason =
      error instanceof SyntaxError ? 'the document is not valid JSON' : 'the document is JSON, but no JSON Feed';
    return { kind: 'unreadable', reason };
  }
  const { url } = context;
  const items = (feed.items ?? []).slice(0, MAX_ITEMS);
  const isCut = (feed.items?.length ?? 0) > items.length;
  const authors = readAuthors(feed.authors, url);
  return {
    kind: 'feed',
    feed: {
      format: 'json',
      title: cleanLine(feed.title ?? '') || null,
      link: resolveAddress(feed.home_page_url ?? '', url),
      self: resolveAddress(feed.feed_url ?? '', url),
      hubs: (feed.hubs ?? [])
        .filter((hub) => hub.type?.toLowerCase() === 'websub')
        .map((hub) => resolveAddress(hub.url ?? '', url))
        .filter((hub) => hub !== null)
        .slice(0, 10),
      language: feedLanguageTag(feed.language ?? ''),
      hints: NO_HINTS,
      items: items.map((item) => readItem(item, authors, context)),
      repaired: false,
      problems: isCut ? [`it has more than ${MAX_ITEMS.toLocaleString('en')} items: the rest was not read`] : [],
    },
  };
}

function readItem(item: JsonItem, feedAuthors: ParsedAuthor[], { url, now }: ItemContext): ParsedItem {
  const link = resolveAddress(item.url ?? '', url) ?? resolveAddress(item.external_url ?? '', url);
  const base = link ?? url;
  const html = (value: TextValue): string | null => htmlOf(value, base);
  const authors = readAuthors(item.authors, url);
  return {
    id: idOf(item.id ?? ''),
    isPermaLink: false,
    link,
    title: textLine({ kind: 'text', value: item.title ?? '' }),
    summary: html({ kind: 'text', value: item.summary ?? '' }),
    content:
      html({ kind: 'html', value: item.content_html ?? '' }) ?? html({ kind: 'text', value: item.content_text ?? '' }),
    authors: authors.length > 0 ? authors : feedAuthors,
    categories: (item.tags ?? [])
      .map(cleanLine)
      .filter((tag) => tag !== '')
      .slice(0, MAX_PARTS),
    publishedAt: usableDate(item.date_published ?? '', now),
    updatedAt: usableDate(item.date_modified ?? '', now),
    ...readFiles(item, url),
  };
}

function readAuthors(authors: JsonDocument['authors'], url: string): ParsedAuthor[] {
  return (authors ?? [])
    .slice(0, MAX_PARTS)
    .map((author) => ({
      name: cleanLine(author.name ?? '') || null,
      email: null,
      url: resolveAddress(author.url ?? '', url),
    }))
    .filter(({ name, url }) => name !== null || url !== null);
}

function readFiles(item: JsonItem, base: string): { images: ParsedImage[]; enclosures: ParsedEnclosure[] } {
  const images: ParsedImage[] = [];
  const enclosures: ParsedEnclosure[] = [];
  const addImage = (file: ParsedEnclosure): void => {
    if (images.some(({ url }) => url === file.url)) return;
    images.push({ ...file, width: null, height: null, alt: null, credit: null });
  };
  for (const written of [item.image, item.banner_image]) {
    const url = resolveAddress(written ?? '', base);
    if (url !== null) addImage({ url, type: null, length: null });
  }
  for (const attachment of (item.attachments ?? []).slice(0, MAX_PARTS)) {
    const url = resolveAddress(attachment.url ?? '', base);
    if (url === null) continue;
    const type = mimeTypeOf(attachment.mime_type);
    const length = parsePositiveInteger(String(attachment.size_in_bytes ?? ''));
    if (type === null ? looksLikeImage(url) : type.startsWith('image/')) addImage({ url, type, length });
    else enclosures.push({ url, type, length });
  }
  return { images, enclosures };
}
