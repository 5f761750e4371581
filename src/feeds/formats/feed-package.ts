/**
 * How hostile text gets past the package `feed`, which escapes some of what it writes, and some of it twice (see
 * docs/decisions/2026-11-24-feed-package.md). The package only ever sees slots: short names in an alphabet that needs no escaping
 * anywhere, and that pass its URL parser unchanged. What it writes is therefore free of any stranger's characters, so that its
 * own marks can be found in it by plain comparison; each slot is then filled with text escaped for the place it stands in.
 */
import { cdataHtml, escapeXml } from './markup.ts';

export interface Slots {
  /** A slot for plain text, in an element or an attribute. */
  text(value: string): string;
  /** A slot for HTML, in an element that holds it escaped. */
  html(value: string): string;
  /** Fills every slot. @throws Error where one is missing, or appears twice */
  fill(skeleton: string): string;
}

/** Slots for one document. */
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

/** Replaces `mark` in a skeleton. @throws Error where it does not stand there exactly once: the package's output has changed */
export function replaceMark(skeleton: string, mark: string, by: string): string {
  const at = skeleton.indexOf(mark);
  if (at < 0 || skeleton.indexOf(mark, at + mark.length) >= 0) {
    throw new Error(`the package "feed" did not write ${JSON.stringify(mark)} exactly once: its output has changed`);
  }
  return skeleton.slice(0, at) + by + skeleton.slice(at + mark.length);
}

/**
 * Cuts a skeleton before each of its items, and behind the last.
 * @returns what stands before the first, each item without the mark that opens it, and what stands behind the last, if any
 * @throws Error where there are not as many as expected
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
