/**
 * The personal slots of a compiled edition. A slot is written `%%<nonce>:<name>%%` with the edition's own random nonce, so that no article
 * can forge one: it would have to know a number that is drawn after it was written.
 */
import { escapeHtml } from './excerpt.ts';

/** How a slot is written. @param name lower-case letters and hyphens, such as `unsubscribe` */
export function slotMark(nonce: string, name: string): string {
  return `%%${nonce}:${name}%%`;
}

/** An email without it must never go out. Any other slot is its template's to have or not. */
const REQUIRED = 'unsubscribe';

/** A compiled edition cut at its slots: one text more than slots, and each slot stands between two of them. */
export interface SlottedText {
  texts: string[];
  /** The slots' names, in order. */
  slots: string[];
}

/** @throws Error where the unsubscribe slot is missing */
export function splitSlots(compiled: string, nonce: string): SlottedText {
  const parts = compiled.split(new RegExp(`%%${nonce}:([a-z-]+)%%`));
  const slots = parts.filter((_, index) => index % 2 === 1);
  if (!slots.includes(REQUIRED)) throw new Error(`the edition has no slot ${REQUIRED}: does its template lack it?`);
  return { texts: parts.filter((_, index) => index % 2 === 0), slots };
}

/** What is put into a slot. @throws Error where nothing was given for it */
export function slotValue(values: Readonly<Record<string, string>>, slot: string): string {
  const value = Object.hasOwn(values, slot) ? values[slot] : undefined;
  if (value === undefined) throw new Error(`the edition has a slot ${slot}, and nothing was given to fill it`);
  return value;
}

/** A value as it stands in plain text: on its line, without control characters. */
export function oneLine(value: string): string {
  return value.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

/** Fills in one recipient's copy of the HTML: values are escaped for text and for quoted attributes. @throws Error as fillSlots does */
export function fillHtml(compiled: string, nonce: string, values: Record<string, string>): string {
  return fillSlots(compiled, nonce, mapValues(values, escapeHtml));
}

/** Fills in one recipient's copy of the text: each value stays on its line. @throws Error as fillSlots does */
export function fillText(compiled: string, nonce: string, values: Record<string, string>): string {
  return fillSlots(compiled, nonce, mapValues(values, oneLine));
}

/**
 * Puts the values, as they are, where their slots stand. What looks like a slot inside a value, or under another nonce, stays text.
 * @throws Error where a slot has no value, or the unsubscribe slot is missing
 */
export function fillSlots(compiled: string, nonce: string, values: Record<string, string>): string {
  const { texts, slots } = splitSlots(compiled, nonce);
  return texts
    .map((text, index) => (index === 0 ? text : slotValue(values, slots[index - 1] as string) + text))
    .join('');
}

function mapValues(values: Record<string, string>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
