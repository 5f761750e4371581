/** Reads a feed: RSS 0.9x to 2.0, RDF, Atom 0.3 and 1.0, JSON Feed 1.0 and 1.1, and what is nearly one of these. */
import { boundedLine, cleanLine } from '../../lib/text/clean-text.ts';
import { decodeFeed, isUnreadable } from './decode-feed.ts';
import { readJsonFeed } from './json-feed.ts';
import type { FeedResult, FetchedFeed, ParsedFeed, ParsedItem } from './parsed-feed.ts';
import { feedLanguageTag, resolveAddress, textLine, textValue } from './text-values.ts';
import { textOf, type XmlElement } from './xml-element.ts';
import { authorNames, type ItemContext, idOf, readXmlItem } from './xml-item.ts';
import { readXmlFeed, type XmlFeed } from './xml-reader.ts';

/** Dates that are more than 24 hours after `now` count as absent. Never throws. */
export function parseFeed({ bytes, contentType, url, zone = 'UTC' }: FetchedFeed, now: number): FeedResult {
  if (isUnreadable(bytes))
    return { kind: 'unreadable', reason: 'the document is in UTF-32 or EBCDIC, and not in UTF-8' };
  const document = decodeFeed(bytes, contentType);
  const start = document.slice(0, 1_000).trimStart();
  if (start === '' && document.trim() === '') return { kind: 'unreadable', reason: 'the document is empty' };
  const unreadable: string[] = [];
  const context = { url, now, zone, unreadable };
  const result = start.startsWith('{') ? readJsonFeed(document, context) : readXml(document, context);
  if (result.kind !== 'feed') return result;
  noteLostCharacters(result.feed);
  const { length, 0: date = '' } = unreadable;
  if (length > 0) result.feed.problems.push(`dates that cannot be read: ${length}, such as “${boundedLine(date, 80)}”`);
  return result;
}

/** U+FFFD replaces bytes that the encoding does not know. A program before daywire may have written it, too. */
function noteLostCharacters({ title, items, problems }: ParsedFeed): void {
  const lost = [title, ...items.map((item) => item.title)].find((one) => one?.includes('\ufffd'));
  if (lost == null) return;
  problems.push(`the feed's encoding is wrong: “${boundedLine(lost, 80)}” has lost characters; it must be valid UTF-8`);
}

/** The version of a JSON Feed, which text such as warnings may precede. */
const JSON_FEED = /jsonfeed\.org\\?\/version/;

function readXml(document: string, context: ItemContext): FeedResult {
  const items: ParsedItem[] = [];
  const xml = readXmlFeed(document, context.url, (item) => items.push(readXmlItem(item, context)));
  if (xml.format === null) {
    return JSON_FEED.test(document)
      ? readJsonFeed(document, context)
      : { kind: 'unreadable', reason: whatElse(document) };
  }
  if (xml.format === 'atom') nameFeedAuthors(items, xml, context);
  return { kind: 'feed', feed: { ...readHead(xml, context), items } };
}

/** An entry without author has those of its feed (RFC 4287 §4.2.1). */
function nameFeedAuthors(items: ParsedItem[], { root, head }: XmlFeed, { url }: ItemContext): void {
  const elements = head.filter(({ name }) => name === 'atom:author');
  const authors = authorNames(elements, root?.base ?? url);
  for (const item of items) if (item.authors.length === 0) item.authors = authors;
}

function readHead({ root, head, repaired, problems }: XmlFeed, { url }: ItemContext): Omit<ParsedFeed, 'items'> {
  const first = (...names: string[]): XmlElement | undefined => head.find(({ name }) => names.includes(name));
  const title = first('rss:title', 'atom:title', 'dc:title');
  const next = head.find(({ name, attributes }) => name === 'atom:link' && /^\s*next\s*$/i.test(attributes.rel ?? ''));
  const language = first('rss:language', 'dc:language');
  return {
    title: title === undefined ? null : textLine(textValue(title, root?.base ?? url)),
    language: feedLanguageTag(language === undefined ? (root?.attributes['xml:lang'] ?? '') : textOf(language)),
    deleted: head.flatMap(({ name, attributes }) =>
      name === 'at:deleted-entry' ? (idOf(attributes.ref ?? '') ?? []) : [],
    ),
    nextPage: next === undefined ? null : resolveAddress(next.attributes.href ?? '', next.base ?? url),
    repaired,
    problems,
  };
}

/** Says what a document without a feed is. */
function whatElse(document: string): string {
  if (/<(?:!doctype\s+html|html|head|body)\b/i.test(document.slice(0, 5_000))) return 'the document is an HTML page';
  const start = cleanLine(document.slice(0, 200)).slice(0, 60).toWellFormed();
  return `the document is neither RSS, RDF, Atom nor JSON Feed: it begins with “${start}”`;
}
