/** Items as text of all formats. It replaces the item itself: a document is written from it, and its size is known. */
import { ATOM_BODY, atomItems } from './atom.ts';
import type { BodyPlace, ItemText } from './document-parts.ts';
import type { FeedItem, Format } from './feed-view.ts';
import { JSON_BODY, jsonItems, jsonValue } from './json-feed.ts';
import { cdataHtml } from './markup.ts';
import { RSS_BODY, rssItems } from './rss.ts';

/** An item without its body, which few documents have of all their items. */
export interface RenderedItem {
  /** The article's tag: URI. */
  id: string;
  publishedAt: number;
  updatedAt: number;
  texts: Record<Format, RenderedText>;
  /** Bytes of the body alone, 0 for an item without one. */
  htmlBytes: number;
  /** Bytes that the item with its body takes beyond the one with its summary, at most. */
  bodyBytes: number;
}

/** An item in one format. */
export interface RenderedText {
  /** With its summary, as UTF-8. */
  bytes: Buffer;
  /** Its body replaces the bytes from here, which are none unless a summary stands there. */
  from: number;
  to: number;
  /** Number of bytes with its body. */
  fullBytes: number;
}

/** A body, escaped for XML and for JSON, as UTF-8. */
export interface RenderedBody {
  cdata: Buffer;
  json: Buffer;
}

type Place = Record<keyof BodyPlace, Buffer> & { escaped: keyof RenderedBody };

const PLACES: Record<Format, Place> = {
  rss: placeOf(RSS_BODY, 'cdata'),
  atom: placeOf(ATOM_BODY, 'cdata'),
  json: placeOf(JSON_BODY, 'json'),
};

function placeOf({ open, close }: BodyPlace, escaped: keyof RenderedBody): Place {
  return { open: Buffer.from(open), close: Buffer.from(close), escaped };
}

/** Renders items, with one call of a package for each format. @param feedLanguage BCP 47 */
export function renderItems(items: FeedItem[], feedLanguage: string): RenderedItem[] {
  if (items.length === 0) return [];
  const texts = { rss: rssItems(items, feedLanguage), atom: atomItems(items, feedLanguage), json: jsonItems(items) };
  return items.map((item, index) => {
    const { id, publishedAt, updatedAt, html } = item;
    const body = renderBody(html);
    const of = (format: Format): RenderedText => renderedText(texts[format][index] as ItemText, PLACES[format], body);
    return {
      ...{ id, publishedAt, updatedAt },
      texts: inOwnMemory({ rss: of('rss'), atom: of('atom'), json: of('json') }),
      htmlBytes: Buffer.byteLength(html),
      bodyBytes: Math.max(body.cdata.length, body.json.length) + BODY_OVERHEAD,
    };
  });
}

// Bytes of the elements around a body, rounded up; in JSON the body replaces content_text.
const BODY_OVERHEAD = 100;

export function renderBody(html: string): RenderedBody {
  return { cdata: Buffer.from(cdataHtml(html)), json: Buffer.from(jsonValue(html)) };
}

function renderedText(
  { before, summary, after }: ItemText,
  { open, close, escaped }: Place,
  body: RenderedBody,
): RenderedText {
  const bytes = Buffer.from(before + summary + after);
  const from = Buffer.byteLength(before);
  const to = from + Buffer.byteLength(summary);
  const fullBytes = bytes.length - (to - from) + open.length + body[escaped].length + close.length;
  return { bytes, from, to, fullBytes };
}

/** Copies the bytes: Node allots short buffers in blocks, which stay as long as any part of them is used. */
function inOwnMemory(texts: Record<Format, RenderedText>): Record<Format, RenderedText> {
  const { rss, atom, json } = texts;
  const all = Buffer.allocUnsafeSlow(rss.bytes.length + atom.bytes.length + json.bytes.length);
  let end = 0;
  const copy = (text: RenderedText): RenderedText => {
    const start = end;
    end += text.bytes.copy(all, start);
    return { ...text, bytes: all.subarray(start, end) };
  };
  return { rss: copy(rss), atom: copy(atom), json: copy(json) };
}

/** The parts of an item's text, with its body instead of its summary. */
export function withBody({ bytes, from, to }: RenderedText, format: Format, body: RenderedBody): Buffer[] {
  const { open, close, escaped } = PLACES[format];
  return [bytes.subarray(0, from), open, body[escaped], close, bytes.subarray(to)];
}
