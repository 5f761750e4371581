/**
 * Passes hostile text through the package `feed`, which escapes only some of its input, and some of it twice (see
 * docs/decisions/2026-11-24-feed-package.md). The package only sees slots: short names of characters that need no
 * escaping anywhere, and that its URL parser does not change. Its output is therefore a skeleton without foreign text,
 * in which its own markup is found by plain comparison. Each slot is then filled with text escaped for its place.
 */
import { cdataHtml, escapeXml } from './markup.ts';

export interface Slots {
  /** A slot for plain text, in an element or an attribute. */
  text(value: string): string;
  /** A slot for HTML, in an element that holds it escaped. */
  html(value: string): string;
  /** Fills all slots of the parts of a skeleton. @throws Error if one is missing, or appears twice */
  fill(parts: string[]): string[];
}

export function openSlots(): Slots {
  const values: string[] = [];
  const slot = (value: string): string => `slot:${values.push(value) - 1}:`;
  return {
    text: (value) => slot(escapeXml(value)),
    html: (value) => slot(cdataHtml(value)),
    fill(parts) {
      let filled = 0;
      const texts = parts.map((part) =>
        part.replace(/<!\[CDATA\[slot:(\d+):\]\]>|slot:(\d+):/g, (_, wrapped, plain) => {
          filled++;
          return values[Number(wrapped ?? plain)] as string;
        }),
      );
      if (filled !== values.length) {
        throw new Error(`the package "feed" wrote ${filled} of ${values.length} values: its output has changed`);
      }
      return texts;
    },
  };
}

/**
 * A feed of which only the items are used. With a stylesheet the package writes 50 items in half the time (1.0 and
 * 1.5 ms instead of 2.0 and 2.3): without one, it gives its XML writer an empty instruction.
 */
export const ITEMS_ONLY = { title: '', stylesheet: 'feed.css' };

/** Placeholder that the package gets as the body of an item; its output is split there. */
export const BODY_MARK = 'slot:body:';

/** Replaces `mark` in a skeleton. @throws Error unless it occurs exactly once: the package's output has changed */
export function replaceMark(skeleton: string, mark: string, replacement: string): string {
  const [before, after] = splitAt(skeleton, mark);
  return before + replacement + after;
}

/** The text before and after `mark`. @throws Error unless it occurs exactly once: the package's output has changed */
export function splitAt(skeleton: string, mark: string): [before: string, after: string] {
  const at = skeleton.indexOf(mark);
  if (at < 0 || skeleton.indexOf(mark, at + mark.length) >= 0) {
    throw new Error(`the package "feed" did not write ${JSON.stringify(mark)} exactly once: its output has changed`);
  }
  return [skeleton.slice(0, at), skeleton.slice(at + mark.length)];
}

/**
 * The items of a skeleton, each without the mark that opens it.
 * @param between the white space between two items
 * @throws Error unless there are as many items as expected, with that space between them
 */
export function splitItems(
  skeleton: string,
  { open, close, between }: { open: string; close: string; between: string },
  expected: number,
): string[] {
  const parts = skeleton.split(open).slice(1);
  if (parts.length !== expected) {
    throw new Error(`the package "feed" wrote ${parts.length} of ${expected} items: its output has changed`);
  }
  return parts.map((part, index) => {
    const end = part.indexOf(close) + close.length;
    if (index < expected - 1 && part.slice(end) !== between) {
      throw new Error(
        `the package "feed" wrote ${JSON.stringify(part.slice(end))} between items: its output has changed`,
      );
    }
    return part.slice(0, end);
  });
}

/** The text around the items of a document. */
export interface Frame {
  head: string;
  /** Precedes the first item. */
  first: string;
  /** Precedes each further item. */
  between: string;
  tail: string;
}

/** The text of an item around the place of its body. */
export interface ItemText {
  before: string;
  /** The text in its place if the document does not have the body. */
  summary: string;
  after: string;
}

/** The text around an escaped body. */
export interface BodyPlace {
  open: string;
  close: string;
}
