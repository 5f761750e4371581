/** An item of an XML feed. One reader for RSS, RDF and Atom: feeds mix their elements. */
import { cleanLine } from '../../lib/text/clean-text.ts';
import { DAY } from '../../lib/time.ts';
import { parseWrittenDate } from '../../lib/written-date.ts';
import { readMedia } from './media.ts';
import { MAX_PARTS, type ParsedItem } from './parsed-feed.ts';
import { htmlOf, resolveAddress, textLine, textValue } from './text-values.ts';
import { elementsOf, textOf, type XmlElement } from './xml-element.ts';

const TITLES = ['rss:title', 'atom:title', 'dc:title', 'itunes:title', 'media:title'];
const SUMMARIES = ['atom:summary', 'rss:description', 'rss:summary', 'dc:description'];
/** Where there is no other: in feeds of podcasts and videos. */
const MEDIA_SUMMARIES = ['itunes:summary', 'media:description', 'itunes:subtitle'];
const CONTENTS = ['content:encoded', 'atom:content', 'rss:fullitem', 'rss:content', 'xhtml:body', 'xhtml:div'];
const AUTHORS = ['dc:creator', 'dc:author', 'atom:author'];
const CATEGORIES = ['rss:category', 'atom:category', 'dc:subject'];
const PUBLISHED = [
  ...['rss:pubdate', 'atom:published', 'atom:issued', 'dcterms:issued', 'dcterms:available', 'dc:date'],
  ...['rss:published', 'rss:date', 'atom:created', 'dcterms:created'],
];
const UPDATED = ['atom:updated', 'atom:modified', 'dcterms:modified', 'rss:updated', 'rss:modified'];

const NONE: XmlElement[] = [];

/** Characters. Two longer ids may differ beyond them. */
const MAX_ID = 8_192;

export interface ItemContext {
  /** The address of the feed: the base of URLs where no `xml:base` is in force. */
  url: string;
  now: number;
  /** Of dates without one. */
  zone: string;
  /** Collects dates that cannot be read, as written. */
  unreadable: string[];
}

export function readXmlItem(item: XmlElement, context: ItemContext): ParsedItem {
  const { url } = context;
  const elements = elementsOf(item);
  const grouped = elements.flatMap((element) => (element.name === 'media:group' ? elementsOf(element) : []));
  const byName = Map.groupBy([...elements, ...grouped], ({ name }) => name);
  const all = (names: string[]): XmlElement[] => {
    const found: XmlElement[] = [];
    for (const name of names) for (const element of byName.get(name) ?? NONE) found.push(element);
    return found;
  };
  const base = item.base ?? url;
  const { id, isPermaLink } = readId(item, all(['rss:guid', 'atom:id', 'dc:identifier']));
  const link =
    readLink(all(['rss:link', 'atom:link']), base) ?? resolveAddress(isPermaLink ? (id ?? '') : aboutOf(item), base);
  // Without xml:base, a path within a text is relative to the item's page rather than to the feed.
  const textBase = item.base ?? link ?? url;
  const texts = (names: string[]): string[] =>
    all(names)
      .map((element) => htmlOf(textValue(element, element.base ?? textBase), element.base ?? textBase))
      .filter((html) => html !== null);
  const [summary = null, secondSummary = null] = texts(inWrittenOrder(elements, SUMMARIES));
  return {
    id,
    isPermaLink,
    link,
    title: first(all(TITLES), (element) => textLine(textValue(element, element.base ?? textBase))),
    summary: summary ?? texts(MEDIA_SUMMARIES)[0] ?? null,
    content: texts(CONTENTS)[0] ?? secondSummary,
    authors: readAuthors([all(AUTHORS), all(['rss:author']), all(['itunes:author'])], base),
    categories: all(inWrittenOrder(elements, CATEGORIES))
      .map(readCategory)
      .filter((category) => category !== null)
      .slice(0, MAX_PARTS),
    publishedAt: readDate(all(PUBLISHED), context),
    updatedAt: readDate(all(UPDATED), context),
    ...readMedia(elements, base),
  };
}

/** The first result that is not null. */
function first<T>(elements: XmlElement[], read: (element: XmlElement) => T | null): T | null {
  for (const element of elements) {
    const result = read(element);
    if (result !== null) return result;
  }
  return null;
}

function inWrittenOrder(elements: XmlElement[], names: string[]): string[] {
  return [...new Set(elements.map(({ name }) => name))].filter((name) => names.includes(name));
}

function readId(item: XmlElement, elements: XmlElement[]): Pick<ParsedItem, 'id' | 'isPermaLink'> {
  for (const element of elements) {
    const id = idOf(textOf(element));
    if (id === null) continue;
    const isDenied = /^\s*false\s*$/i.test(element.attributes.ispermalink ?? '');
    // Many feeds leave the attribute out, for any kind of guid.
    return { id, isPermaLink: element.name === 'rss:guid' && !isDenied && /^https?:\/\//i.test(id) };
  }
  return { id: idOf(aboutOf(item)), isPermaLink: false };
}

/** What an item of RDF is about: its identity. */
function aboutOf({ attributes }: XmlElement): string {
  return attributes['rdf:about'] ?? attributes.about ?? '';
}

/** An id as written, without what no database can hold. Null if it is empty or longer than any. */
export function idOf(written: string): string | null {
  const id = cleanLine(written);
  return id === '' || id.length > MAX_ID ? null : id;
}

/**
 * The address of the page that links lead to: of an HTML page, if one says so (RFC 4287 §4.2.7), else the first one.
 * @param elements links of RSS, with the address as text, or of Atom
 */
function readLink(elements: XmlElement[], base: string): string | null {
  const alternates = elements.filter(
    ({ attributes: { rel = 'alternate' } }) => rel.trim().toLowerCase() === 'alternate',
  );
  const html = alternates.filter(({ attributes }) => /^\s*text\/html\b/i.test(attributes.type ?? 'text/html'));
  return first([...html, ...alternates], (element) => addressOf(element, base));
}

/** Some feeds write the address of an Atom link as text. */
function addressOf(element: XmlElement, base: string): string | null {
  return resolveAddress(element.attributes.href ?? textOf(element), element.base ?? base);
}

/**
 * The names of the first kind of element that has some. The author of RSS is an email address by its specification:
 * Dublin Core has the name.
 */
function readAuthors(kinds: XmlElement[][], base: string): string[] {
  return kinds.map((elements) => authorNames(elements, base)).find((names) => names.length > 0) ?? [];
}

/** Names in author elements of RSS, Dublin Core or Atom. */
export function authorNames(elements: XmlElement[], base: string): string[] {
  return elements.slice(0, MAX_PARTS).flatMap((element) => {
    const name = elementsOf(element).find((part) => part.name.endsWith(':name'));
    const written = name === undefined ? textLine(textValue(element, base)) : cleanLine(textOf(name));
    return authorName(written ?? '') ?? [];
  });
}

const EMAIL = /[^\s@<>()[\]:,;"]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,63}/;
/** Around a name: `<…>`, `(…)`, `mailto:`. */
const AROUND = /^[\s<>()[\],;:"-]+|[\s<>()[\],;:"-]+$/g;

/** The name in `Ann Lee <ann@example.com>`, `ann@example.com (Ann Lee)` or the like. Null without one. */
export function authorName(text: string): string | null {
  if (!EMAIL.test(text)) return text || null;
  const name = text
    .replace(EMAIL, ' ')
    .replace(/\bmailto:/gi, '')
    .replace(AROUND, '');
  return cleanLine(name) || null;
}

function readCategory(element: XmlElement): string | null {
  const { label, term } = element.attributes;
  if (element.name !== 'atom:category') return textLine(textValue(element, null));
  return cleanLine(label ?? '') || cleanLine(term ?? '') || textLine(textValue(element, null));
}

/** The first date that can be read and is not ahead by more than a day. */
function readDate(elements: XmlElement[], context: ItemContext): number | null {
  return first(elements, (element) => usableDate(textOf(element), context));
}

/** Null also for what is more than a day ahead: clocks are wrong by hours, not by days. */
export function usableDate(written: string, { now, zone, unreadable }: Omit<ItemContext, 'url'>): number | null {
  const at = parseWrittenDate(written, zone);
  if (at === null && cleanLine(written) !== '') unreadable.push(written);
  return at === null || at > now + DAY ? null : at;
}
