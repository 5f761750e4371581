/** Escapes text and URLs for the formats of feeds: the output is well-formed for any input. */
import { cleanText, cleanUrl } from '../../lib/text/clean-text.ts';

const REFERENCES: Record<string, string> = { '&': '&#x26;', '<': '&#x3C;', '>': '&#x3E;', '"': '&#x22;' };

/**
 * Plain text for an XML element or a quoted attribute. Hexadecimal references, as the RSS Advisory Board's profile
 * advises for titles: readers that decode once and readers that decode twice then agree more often.
 */
export function escapeXml(text: string): string {
  return cleanText(text).replace(/[&<>"]/g, (character) => REFERENCES[character] as string);
}

/** HTML as a CDATA section. The sequence that ends a section is written as equivalent HTML. */
export function cdataHtml(html: string): string {
  return `<![CDATA[${cleanText(html).replaceAll(']]>', ']]&gt;')}]]>`;
}

const NOT_IN_URI = /[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})/g;

/**
 * An absolute http or https URL by RFC 3986, or null. The WHATWG URL parser alone is not sufficient: it does not encode
 * brackets, bars and a second `#`.
 */
export function strictUrl(text: string): string | null {
  const clean = cleanUrl(text);
  if (clean === null) return null;
  const { origin, pathname, search, hash } = new URL(clean);
  const encoded = (part: string): string => part.replace(NOT_IN_URI, encodeURIComponent);
  return origin + encoded(pathname + search) + (hash === '' ? '' : `#${encoded(hash.slice(1))}`);
}
