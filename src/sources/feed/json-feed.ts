/** JSON Feed 1.0 and 1.1, read with the package `feedsmith`. */
import { parseJsonFeed } from 'feedsmith';
import { cleanLine } from '../../lib/text/clean-text.ts';
import type { SourceEnclosure, SourceImage } from '../source-item.ts';
import { looksLikeImage, mimeTypeOf, parsePositiveInteger } from './media.ts';
import { type FeedResult, MAX_ITEMS, MAX_PARTS, type ParsedItem } from './parsed-feed.ts';
import { NO_HINTS } from './poll-hints.ts';
import { feedLanguageTag, htmlOf, resolveAddress, type TextValue, textLine } from './text-values.ts';
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
      hints: NO_HINTS,
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

/** Escapes control characters in strings, and removes commas after the last element and text around the document. */
function repairJson(document: string, problems: Set<string>): string {
  const start = Math.max(0, document.search(/\{\s*"/));
  const json = document.slice(start, document.lastIndexOf('}') + 1);
  if (json.length < document.trim().length)
    problems.add('something is around the feed, such as warnings of the server');
  const parts: string[] = [];
  let copied = 0;
  let isString = false;
  const replace = (at: number, by: string, problem: string): void => {
    problems.add(problem);
    parts.push(json.slice(copied, at), by);
    copied = at + 1;
  };
  for (let at = 0; at < json.length; at++) {
    const character = json[at] as string;
    if (character === '"') isString = !isString;
    else if (isString && character === '\\') at++;
    else if (isString && character < ' ') replace(at, JSON.stringify(character).slice(1, -1), CONTROL);
    else if (!isString && character === ',' && endsAfter(json, at + 1)) replace(at, '', COMMA);
  }
  parts.push(json.slice(copied));
  return parts.join('');
}

const CONTROL = 'a control character in a text was not escaped';
const COMMA = 'a comma has nothing after it';
const END = /\s*[\]}]/y;

function endsAfter(json: string, at: number): boolean {
  END.lastIndex = at;
  return END.test(json);
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
    ...readMedia(item, url),
  };
}

function readAuthors(authors: JsonDocument['authors'] = []): string[] {
  return authors
    .slice(0, MAX_PARTS)
    .map(({ name = '' }) => cleanLine(name))
    .filter((name) => name !== '');
}

function readMedia(
  { image, banner_image, attachments = [] }: JsonItem,
  base: string,
): Pick<ParsedItem, 'images' | 'enclosures'> {
  const images = new Map<string, SourceImage>();
  const enclosures = new Map<string, SourceEnclosure>();
  for (const written of [image, banner_image]) {
    const url = resolveAddress(written ?? '', base);
    if (url !== null && !images.has(url)) images.set(url, { url, type: null, length: null, ...NO_DETAILS });
  }
  for (const { url: written = '', mime_type, size_in_bytes, title } of attachments.slice(0, MAX_PARTS)) {
    const url = resolveAddress(written, base);
    if (url === null) continue;
    const type = mimeTypeOf(mime_type);
    const file = { url, type, length: parsePositiveInteger(String(size_in_bytes ?? '')) };
    const isImage = type === null ? looksLikeImage(url) : type.startsWith('image/');
    if (!isImage) enclosures.set(url, { ...file, title: cleanLine(title ?? '') || null });
    else if (!images.has(url)) images.set(url, { ...file, ...NO_DETAILS });
  }
  return { images: [...images.values()], enclosures: [...enclosures.values()] };
}

const NO_DETAILS = { width: null, height: null, alt: null, credit: null };
