/**
 * The personal slots of a compiled edition. A slot is written `%%<nonce>:<name>%%` with the edition's own random nonce, so that no article
 * can forge one: it would have to know a number that is drawn after it was written.
 */
import { escapeHtml } from './excerpt.ts';

/** How a slot is written. @param name lower-case letters and hyphens, such as `unsubscribe` */
export function slotMark(nonce: string, name: string): string {
  return `%%${nonce}:${name}%%`;
}

/**
 * Fills in one recipient's copy of the HTML: values are escaped for text and for quoted attributes.
 * @throws Error as fillSlots does
 */
export function fillHtml(compiled: string, nonce: string, values: Record<string, string>): string {
  return fillSlots(compiled, nonce, mapValues(values, escapeHtml));
}

/**
 * Fills in one recipient's copy of the text: each value stays on its line, without control characters.
 * @throws Error as fillSlots does
 */
export function fillText(compiled: string, nonce: string, values: Record<string, string>): string {
  return fillSlots(compiled, nonce, mapValues(values, oneLine));
}

/**
 * Puts the values, as they are, where their slots stand. What looks like a slot inside a value, or under another nonce, stays text.
 * @throws Error where a slot has no value, or a value has no slot: an email without its unsubscribe link must never go out
 */
export function fillSlots(compiled: string, nonce: string, values: Record<string, string>): string {
  const unused = new Set(Object.keys(values));
  const filled = compiled.replace(slotPattern(nonce), (_slot, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new Error(`the edition has a slot ${name}, and nothing was given to fill it`);
    unused.delete(name);
    return value;
  });
  if (unused.size > 0) throw new Error(`the edition has no slot ${[...unused].join(', ')}: does its template lack it?`);
  return filled;
}

function slotPattern(nonce: string): RegExp {
  return new RegExp(`%%${nonce}:([a-z-]+)%%`, 'g');
}

function oneLine(value: string): string {
  return value.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function mapValues(values: Record<string, string>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
