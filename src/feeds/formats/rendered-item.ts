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

/** An item in one format, with its summary. */
export interface RenderedText {
  text: string;
  /** Its body replaces the part from here, which is empty unless a summary stands there. */
  from: number;
  to: number;
  /** With its summary, and with its body. */
  summaryBytes: number;
  fullBytes: number;
}

/** A body, escaped for XML and for JSON. */
export interface RenderedBody {
  cdata: string;
  json: string;
}

const BODIES: Record<Format, BodyPlace & { escaped: keyof RenderedBody }> = {
  rss: { ...RSS_BODY, escaped: 'cdata' },
  atom: { ...ATOM_BODY, escaped: 'cdata' },
  json: { ...JSON_BODY, escaped: 'json' },
};

/** Renders items, with one call of a package for each format. @param feedLanguage BCP 47 */
export function renderItems(items: FeedItem[], feedLanguage: string): RenderedItem[] {
  if (items.length === 0) return [];
  const texts = { rss: rssItems(items, feedLanguage), atom: atomItems(items, feedLanguage), json: jsonItems(items) };
  return items.map((item, index) => {
    const { id, publishedAt, updatedAt, html } = item;
    const bytes = bytesOf(renderBody(html));
    const of = (format: Format): RenderedText => renderedText(texts[format][index] as ItemText, BODIES[format], bytes);
    return {
      ...{ id, publishedAt, updatedAt },
      texts: { rss: of('rss'), atom: of('atom'), json: of('json') },
      htmlBytes: Buffer.byteLength(html),
      bodyBytes: largest(bytes),
    };
  });
}

export function renderBody(html: string): RenderedBody {
  return { cdata: cdataHtml(html), json: jsonValue(html) };
}

// Bytes of the elements around a body, rounded up; in JSON the body replaces content_text.
const BODY_OVERHEAD = 100;

function bytesOf({ cdata, json }: RenderedBody): Record<keyof RenderedBody, number> {
  return { cdata: Buffer.byteLength(cdata), json: Buffer.byteLength(json) };
}

function largest({ cdata, json }: Record<keyof RenderedBody, number>): number {
  return Math.max(cdata, json) + BODY_OVERHEAD;
}

function renderedText(
  { before, summary, after }: ItemText,
  { open, close, escaped }: BodyPlace & { escaped: keyof RenderedBody },
  bodyBytes: Record<keyof RenderedBody, number>,
): RenderedText {
  // A copy: a part of a string keeps the whole string in memory, here that of all items.
  const bytes = Buffer.from(before + summary + after);
  const to = before.length + summary.length;
  const fullBytes = bytes.length - Buffer.byteLength(summary) + Buffer.byteLength(open + close) + bodyBytes[escaped];
  return { text: bytes.toString(), from: before.length, to, summaryBytes: bytes.length, fullBytes };
}

/** The parts of an item's text, with its body instead of its summary. */
export function withBody({ text, from, to }: RenderedText, format: Format, body: RenderedBody): string[] {
  const { open, close, escaped } = BODIES[format];
  return [text.slice(0, from), open, body[escaped], close, text.slice(to)];
}
