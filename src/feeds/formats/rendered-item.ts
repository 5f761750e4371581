/** Items as text of all formats. It replaces the item itself: a document is written from it, and its size is known. */
import { ATOM_BODY, atomItems } from './atom.ts';
import type { BodyPlace, ItemText } from './feed-package.ts';
import { type FeedItem, FORMATS, type Format, type ItemsView } from './feed-view.ts';
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
  /** Its body replaces the bytes from here, which are none unless a summary is there. */
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

/** Renders items, with one call of a package for each format. */
export function renderItems(items: FeedItem[], view: ItemsView): { item: RenderedItem; body: RenderedBody }[] {
  if (items.length === 0) return [];
  const texts = { rss: rssItems(items, view), atom: atomItems(items, view), json: jsonItems(items, view) };
  return items.map(({ id, publishedAt, updatedAt, html }, index) => {
    const body = { cdata: Buffer.from(cdataHtml(html)), json: Buffer.from(jsonValue(html)) };
    const ofItem = { rss: texts.rss[index], atom: texts.atom[index], json: texts.json[index] };
    const item = {
      ...{ id, publishedAt, updatedAt, htmlBytes: Buffer.byteLength(html) },
      texts: renderTexts(ofItem as Record<Format, ItemText>, body),
      bodyBytes: Math.max(body.cdata.length, body.json.length) + BODY_OVERHEAD,
    };
    return { item, body };
  });
}

// Bytes of the elements around a body, rounded up; in JSON the body replaces content_text.
const BODY_OVERHEAD = 100;

/** In memory of its own: Node allots short buffers in blocks, which stay as long as any part of them is used. */
function renderTexts(texts: Record<Format, ItemText>, body: RenderedBody): Record<Format, RenderedText> {
  const lengths = FORMATS.map((format) => {
    const { before, summary, after } = texts[format];
    return {
      format,
      before: Buffer.byteLength(before),
      summary: Buffer.byteLength(summary),
      after: Buffer.byteLength(after),
    };
  });
  const all = Buffer.allocUnsafeSlow(lengths.reduce((sum, one) => sum + one.before + one.summary + one.after, 0));
  let end = 0;
  const rendered = lengths.map(({ format, ...length }) => {
    const { before, summary, after } = texts[format];
    const { open, close, escaped } = PLACES[format];
    const start = end;
    end += all.write(before + summary + after, start);
    const fullBytes = length.before + length.after + open.length + body[escaped].length + close.length;
    const text = {
      bytes: all.subarray(start, end),
      from: length.before,
      to: length.before + length.summary,
      fullBytes,
    };
    return [format, text] as const;
  });
  return Object.fromEntries(rendered) as Record<Format, RenderedText>;
}

/** The parts of an item's text, with its body instead of its summary. */
export function withBody({ bytes, from, to }: RenderedText, format: Format, body: RenderedBody): Buffer[] {
  const { open, close, escaped } = PLACES[format];
  return [bytes.subarray(0, from), open, body[escaped], close, bytes.subarray(to)];
}
