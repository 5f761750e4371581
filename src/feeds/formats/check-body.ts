/**
 * A last look at an article's body before it leaves for other people's programs. Import has sanitised it; an article that still
 * holds one of these was written past the import, and is rejected rather than repaired.
 */
import { cleanUrl } from '../../lib/clean-text.ts';

const TAG = /<([a-zA-Z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/g;
const ATTRIBUTE = /([^\s"'=/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;
const FORBIDDEN =
  /^(script|style|iframe|frame|frameset|object|embed|applet|form|input|button|link|meta|base|svg|math|template)$/;
const ADDRESSES = new Set(['href', 'src', 'cite', 'poster']);

/** What is wrong with the HTML, one sentence each; nothing where it is fit to publish. */
export function bodyProblems(html: string): string[] {
  const problems = new Set<string>();
  for (const [, rawName = '', rawAttributes = ''] of html.matchAll(TAG)) {
    const name = rawName.toLowerCase();
    if (FORBIDDEN.test(name)) problems.add(`the body holds <${name}>, which no feed may carry`);
    const attributes = attributesOf(rawAttributes);
    for (const [attribute, value] of attributes) {
      if (attribute.startsWith('on')) problems.add(`the body holds the event handler ${attribute}`);
      if (ADDRESSES.has(attribute) && !isAbsolute(value)) {
        problems.add(`the body's ${name} has the ${attribute} "${value.slice(0, 80)}": it must be an absolute address`);
      }
    }
    if (name === 'img' && !(attributes.has('src') && attributes.has('alt'))) {
      problems.add('the body holds an <img> without src and alt');
    }
  }
  return [...problems];
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single, bare] of text.matchAll(ATTRIBUTE)) {
    attributes.set(name.toLowerCase(), decodeAmpersands(double ?? single ?? bare ?? ''));
  }
  return attributes;
}

function decodeAmpersands(value: string): string {
  return value.replaceAll('&amp;', '&');
}

function isAbsolute(address: string): boolean {
  return /^mailto:[^\s]+$/i.test(address) || (/^https?:\/\//i.test(address) && cleanUrl(address) !== null);
}
