/**
 * Personal placeholders in a compiled edition, filled in for each recipient. A placeholder is written
 * `%%<nonce>:<name>%%` with the edition's own random nonce. An article cannot forge one: the nonce is generated after
 * the article was written.
 */
import { escapeHtml } from '../../lib/text/html.ts';

/** @param name lower-case letters and hyphens, such as `unsubscribe` */
export function placeholder(nonce: string, name: string): string {
  return `%%${nonce}:${name}%%`;
}

/** The placeholder that every email must have; a template may omit the others. */
const REQUIRED = 'unsubscribe';

/** A compiled edition split at its placeholders: `placeholders[i]` is between `texts[i]` and `texts[i + 1]`. */
export interface SplitText {
  texts: string[];
  /** Names, in order. */
  placeholders: string[];
}

/** @param required null for a part of an edition @throws Error if the unsubscribe placeholder is missing */
export function splitAtPlaceholders(compiled: string, nonce: string, required: string | null = REQUIRED): SplitText {
  const parts = compiled.split(new RegExp(`%%${nonce}:([a-z-]+)%%`));
  const placeholders = parts.filter((_, index) => index % 2 === 1);
  if (required !== null && !placeholders.includes(required)) {
    throw new Error(`the edition has no placeholder ${required}: is it missing from the template?`);
  }
  return { texts: parts.filter((_, index) => index % 2 === 0), placeholders };
}

/** The value of a placeholder. @throws Error if there is none */
export function placeholderValue(values: Readonly<Record<string, string>>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) throw new Error(`the edition has a placeholder ${name}, but no value was given for it`);
  return value;
}

/** A value for plain text: on one line, without control characters. */
export function oneLine(value: string): string {
  return value.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

/**
 * Fills in a recipient's HTML, with values escaped for text and quoted attributes.
 * @throws Error as fillPlaceholders
 */
export function fillHtml(compiled: string, nonce: string, values: Record<string, string>): string {
  return fillPlaceholders(compiled, nonce, mapValues(values, escapeHtml));
}

/** Fills in a recipient's plain text, with values on one line. @throws Error as fillPlaceholders */
export function fillText(compiled: string, nonce: string, values: Record<string, string>): string {
  return fillPlaceholders(compiled, nonce, mapValues(values, oneLine));
}

/**
 * Fills in values unchanged. Placeholders inside a value, or with another nonce, remain text.
 * @throws Error if a placeholder has no value, or the unsubscribe placeholder is missing
 */
export function fillPlaceholders(compiled: string, nonce: string, values: Record<string, string>): string {
  const { texts, placeholders } = splitAtPlaceholders(compiled, nonce);
  return texts
    .map((text, index) => (index === 0 ? text : placeholderValue(values, placeholders[index - 1] as string) + text))
    .join('');
}

function mapValues(values: Record<string, string>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
