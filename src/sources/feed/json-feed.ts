/** JSON Feed 1.0 and 1.1, read with the package `feedsmith`. */
import { parseJsonFeed } from 'feedsmith';
import { cleanLine } from '../../lib/text/clean-text.ts';
import type { SourceImage } from '../source-item.ts';
import { looksLikeImage, mimeTypeOf, parsePositiveInteger } from './media.ts';
import { type FeedResult, MAX_ITEMS, MAX_PARTS, type ParsedItem } from './parsed-feed.ts';
import { NO_HINTS } from './poll-hints.ts';
import { feedLanguageTag, htmlOf, resolveAddress, type TextValue, textLine } from './text-values.ts';
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
  const items = (feed.items ?? []).slice(0, MAX_ITEMS);
  const isCut = (feed.items?.length ?? 0) > items.length;
  const authors = readAuthors(feed.authors);
  return {
    kind: 'feed',
    feed: {
      title: cleanLine(feed.title ?? '') || null,
      language: feedLanguageTag(feed.language ?? ''),
      hints: NO_HINTS,
      items: items.map((item) => readItem(item, authors, context)),
      repaired: false,
      problems: isCut ? [`it has more than ${MAX_ITEMS.toLocaleString('en')} items: the rest was not read`] : [],
    },
  };
}

function readItem(item: JsonItem, feedAuthors: string[], { url, now }: ItemContext): ParsedItem {
  const link = resolveAddress(item.url ?? '', url) ?? resolveAddress(item.external_url ?? '', url);
  const base = link ?? url;
  const html = (value: TextValue): string | null => htmlOf(value, base);
  const authors = readAuthors(item.authors);
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
    images: readImages(item, url),
  };
}

function readAuthors(authors: JsonDocument['authors'] = []): string[] {
  return authors
    .slice(0, MAX_PARTS)
    .map(({ name = '' }) => cleanLine(name))
    .filter((name) => name !== '');
}

function readImages({ image, banner_image, attachments = [] }: JsonItem, base: string): SourceImage[] {
  const images = new Map<string, SourceImage>();
  const add = (written: string | undefined, file: Pick<SourceImage, 'type' | 'length'>, isImage: boolean): void => {
    const url = resolveAddress(written ?? '', base);
    if (url === null || images.has(url) || !(isImage || (file.type === null && looksLikeImage(url)))) return;
    images.set(url, { url, ...file, width: null, height: null, alt: null, credit: null });
  };
  for (const written of [image, banner_image]) add(written, { type: null, length: null }, true);
  for (const { url, mime_type, size_in_bytes } of attachments.slice(0, MAX_PARTS)) {
    const type = mimeTypeOf(mime_type);
    add(url, { type, length: parsePositiveInteger(String(size_in_bytes ?? '')) }, type?.startsWith('image/') === true);
  }
  return [...images.values()];
}
