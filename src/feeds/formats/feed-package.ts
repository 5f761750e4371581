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
  /** Fills all slots. @throws Error if one is missing, or appears twice */
  fill(skeleton: string): string;
}

export function openSlots(): Slots {
  const values: string[] = [];
  const slot = (value: string): string => `slot:${values.push(value) - 1}:`;
  return {
    text: (value) => slot(escapeXml(value)),
    html: (value) => slot(cdataHtml(value)),
    fill(skeleton) {
      let filled = 0;
      const document = skeleton.replace(/<!\[CDATA\[slot:(\d+):\]\]>|slot:(\d+):/g, (_, wrapped, plain) => {
        filled++;
        return values[Number(wrapped ?? plain)] as string;
      });
      if (filled !== values.length) {
        throw new Error(`the package "feed" wrote ${filled} of ${values.length} values: its output has changed`);
      }
      return document;
    },
  };
}

/** Replaces `mark` in a skeleton. @throws Error unless it occurs exactly once: the package's output has changed */
export function replaceMark(skeleton: string, mark: string, replacement: string): string {
  const at = skeleton.indexOf(mark);
  if (at < 0 || skeleton.indexOf(mark, at + mark.length) >= 0) {
    throw new Error(`the package "feed" did not write ${JSON.stringify(mark)} exactly once: its output has changed`);
  }
  return skeleton.slice(0, at) + replacement + skeleton.slice(at + mark.length);
}

/**
 * Splits a skeleton before each item, and after the last.
 * @returns the text before the first item, each item without the mark that opens it, and the text after the last item
 * @throws Error unless there are as many items as expected
 */
export function splitItems(
  skeleton: string,
  { open, close }: { open: string; close: string },
  expected: number,
): { head: string; items: string[]; tail: string } {
  const [head = '', ...items] = skeleton.split(open);
  if (items.length !== expected) {
    throw new Error(`the package "feed" wrote ${items.length} of ${expected} items: its output has changed`);
  }
  const last = items.pop();
  if (last === undefined) return { head, items, tail: '' };
  const end = last.indexOf(close) + close.length;
  return { head, items: [...items, last.slice(0, end)], tail: last.slice(end) };
}
