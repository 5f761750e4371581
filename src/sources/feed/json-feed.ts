/** JSON Feed 1.0 and 1.1, read with the package `feedsmith`. */
import { parseJsonFeed } from 'feedsmith';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { readMedia } from './media.ts';
import { type FeedResult, MAX_ITEMS, MAX_PARTS, type ParsedItem } from './parsed-feed.ts';
import { feedLanguageTag, htmlOf, resolveAddress, type TextValue, textLine } from './text-values.ts';
import type { XmlElement } from './xml-element.ts';
import { type ItemContext, idOf, usableDate } from './xml-item.ts';

type JsonDocument = ReturnType<typeof parseJsonFeed<string>>;
type JsonItem = NonNullable<JsonDocument['items']>[number];

export function readJsonFeed(document: string, context: ItemContext): FeedResult {
  const problems = new Set<string>();
  let feed: JsonDocument;
  try {
    feed = parseJsonFeed(parseJson(document, problems), { maxItems: MAX_ITEMS + 1 });
  } catch (error) {
    const reason =
      error instanceof SyntaxError ? 'the document is not valid JSON' : 'the document is JSON, but no JSON Feed';
    return { kind: 'unreadable', reason };
  }
  const repaired = problems.size > 0;
  const items = (feed.items ?? []).slice(0, MAX_ITEMS);
  const isCut = (feed.items?.length ?? 0) > items.length;
  if (isCut) problems.add(`it has more than ${MAX_ITEMS.toLocaleString('en')} items: the rest was not read`);
  const authors = readAuthors(feed.authors);
  return {
    kind: 'feed',
    feed: {
      title: cleanLine(feed.title ?? '') || null,
      language: feedLanguageTag(feed.language ?? ''),
      deleted: [],
      nextPage: resolveAddress(feed.next_url ?? '', context.url),
      items: items.map((item) => readItem(item, authors, context)),
      repaired,
      problems: [...problems],
    },
  };
}

/** @throws SyntaxError for what is no JSON, and cannot be repaired */
function parseJson(document: string, problems: Set<string>): unknown {
  try {
    return JSON.parse(document);
  } catch {
    return JSON.parse(repairJson(document, problems));
  }
}

/** A text, and a comma with nothing after it. */
const REPAIRED = /"[^"\\]*(?:\\.[^"\\]*)*"?|,(?=\s*[\]}])/gs;

/** Escapes control characters in texts, and removes commas after the last element and what is around the document. */
function repairJson(document: string, problems: Set<string>): string {
  const json = document.slice(Math.max(0, document.search(/\{\s*"/)), document.lastIndexOf('}') + 1);
  if (json.length < document.trim().length)
    problems.add('something is around the feed, such as warnings of the server');
  return json.replace(REPAIRED, (part) => {
    const isComma = part === ',';
    const repaired = isComma ? '' : part.replace(/[\0-\x1f]/g, (control) => JSON.stringify(control).slice(1, -1));
    if (repaired !== part)
      problems.add(isComma ? 'a comma has nothing after it' : 'a control character was not escaped');
    return repaired;
  });
}

function readItem(item: JsonItem, feedAuthors: string[], context: ItemContext): ParsedItem {
  const { url } = context;
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
    publishedAt: usableDate(item.date_published ?? '', context),
    updatedAt: usableDate(item.date_modified ?? '', context),
    ...readMedia(filesOf(item), url),
  };
}

function readAuthors(authors: JsonDocument['authors'] = []): string[] {
  return authors
    .slice(0, MAX_PARTS)
    .map(({ name = '' }) => cleanLine(name))
    .filter((name) => name !== '');
}

/** The files of an item, as the elements of XML feeds that say the same. */
function filesOf({ image, banner_image, attachments = [] }: JsonItem): XmlElement[] {
  const element = (name: string, attributes: Record<string, string>): XmlElement => {
    return { name, attributes, base: null, children: [] };
  };
  return [
    ...[image, banner_image].map((url = '') => element('media:content', { url, medium: 'image' })),
    ...attachments.map(({ url = '', mime_type: type = '', size_in_bytes: length = '', title = '' }) =>
      element('rss:enclosure', { url, type, length: String(length), title }),
    ),
  ];
}
