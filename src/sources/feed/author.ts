/** The people that a feed names. */
import { cleanLine } from '../../lib/text/clean-text.ts';
import type { ParsedAuthor } from './parsed-feed.ts';
import { resolveAddress } from './resolve-urls.ts';
import { textLine, textValue } from './text-values.ts';
import { elementsOf, textOf, type XmlElement } from './xml-element.ts';

const EMAIL = /[^\s@<>()[\]:,;"]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,63}/;
/** What is around a name: `<…>`, `(…)`, `mailto:`. */
const AROUND = /^[\s<>()[\],;:"-]+|[\s<>()[\],;:"-]+$/g;

/** `Ann Lee <ann@example.com>`, `ann@example.com (Ann Lee)`, either alone, or both in another way. Null if empty. */
export function parseAuthor(written: string): ParsedAuthor | null {
  const text = cleanLine(written);
  const email = EMAIL.exec(text)?.[0] ?? null;
  if (email === null) return text === '' ? null : { name: text, email: null, url: null };
  const name = text
    .replace(email, ' ')
    .replace(/\bmailto:/gi, '')
    .replace(AROUND, '');
  return { name: cleanLine(name) || null, email, url: null };
}

/** An author element of RSS, Dublin Core or Atom. Null if it names nobody. */
export function readAuthor(element: XmlElement, base: string): ParsedAuthor | null {
  const parts = elementsOf(element);
  const part = (...names: string[]): string | null => {
    const found = parts.find(({ name }) => names.includes(name.slice(name.indexOf(':') + 1)));
    return found === undefined ? null : cleanLine(textOf(found)) || null;
  };
  const name = part('name');
  const email = part('email');
  const url = resolveAddress(part('uri', 'url') ?? '', element.base ?? base);
  if (name !== null || email !== null || url !== null) return { name, email, url };
  return parseAuthor(textLine(textValue(element, base)) ?? '');
}
