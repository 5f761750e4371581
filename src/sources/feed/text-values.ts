/** Texts of a feed: what is text and what is HTML, and one as the other. */
import { Parser } from 'htmlparser2';
import { parseLanguageTag } from '../../lib/names/language-tag.ts';
import { cleanLine, cleanText, cleanUrl } from '../../lib/text/clean-text.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { flattenDeepHtml, textOfHtml } from '../html-text.ts';
import { elementsOf, textOf, type XmlElement } from './xml-element.ts';

/** `unclear`: RSS does not say whether a title is text or HTML, nor do podcasts of their summaries. */
export interface TextValue {
  kind: 'text' | 'html' | 'unclear';
  value: string;
}

/**
 * The text of an element, by the rules of its format: RFC 4287 §3.1 and §4.1.3 for Atom, with the types and modes of
 * Atom 0.3. In RSS a description is HTML, and other text is unclear.
 * @param base of relative URLs, if no `xml:base` is in force
 */
export function textValue(element: XmlElement, base: string | null): TextValue {
  const hasElements = element.children.some((child) => typeof child !== 'string');
  if (!element.name.startsWith('atom:')) {
    if (hasElements) return { kind: 'html', value: markupOf(element, base, escapeMarkup) };
    return { kind: MAYBE_TEXT.has(element.name) ? 'unclear' : 'html', value: textOf(element) };
  }
  const type = (element.attributes.type ?? '').trim().toLowerCase().split(';')[0] as string;
  const mode = element.attributes.mode?.trim().toLowerCase();
  if (isPlain(type)) {
    if (hasElements) return { kind: 'html', value: inner(element, base, escapeMarkup) };
    return { kind: type === '' && mode === 'escaped' ? 'unclear' : 'text', value: textOf(element) };
  }
  if (type === 'html' || type === 'text/html') {
    return { kind: 'html', value: inner(element, base, mode === 'xml' ? escapeMarkup : String) };
  }
  if (type === 'xhtml' || type === 'application/xhtml+xml' || /[/+]xml$/.test(type)) {
    return {
      kind: 'html',
      value: hasElements || mode !== 'escaped' ? inner(element, base, escapeMarkup) : textOf(element),
    };
  }
  // Another kind of text, such as text/markdown, or no type at all.
  if (type.startsWith('text/') || !type.includes('/')) return { kind: 'text', value: textOf(element) };
  // Encoded files, such as pictures.
  return { kind: 'html', value: '' };
}

/** Elements of RSS and its modules whose text may be HTML or not. */
const MAYBE_TEXT = new Set([
  ...['rss:title', 'rss:author', 'rss:category', 'dc:title', 'dc:creator', 'dc:author', 'dc:subject'],
  ...['media:title', 'media:description', 'media:credit'],
  ...['itunes:title', 'itunes:author', 'itunes:summary', 'itunes:subtitle'],
]);

function isPlain(type: string): boolean {
  return type === '' || type === 'text' || type === 'text/plain';
}

function inner(element: XmlElement, base: string | null, write: (text: string) => string): string {
  // The <div> around XHTML is not part of it (RFC 4287 §3.1.1.3).
  const [only, ...others] = elementsOf(element);
  const isWrapped =
    only !== undefined &&
    others.length === 0 &&
    only.name === 'xhtml:div' &&
    element.children.every((child) => typeof child !== 'string' || child.trim() === '');
  return markupOf(isWrapped ? only : element, base, write);
}

const VOID = new Set(['area', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'track', 'wbr']);
const TAG_NAME = /^[a-z][a-z0-9-]*$/;

/** The content of an element as HTML, with absolute URLs. */
function markupOf(element: XmlElement, base: string | null, write: (text: string) => string): string {
  const parts: string[] = [];
  const writeChildren = ({ children }: XmlElement): void => {
    for (const child of children) {
      if (typeof child === 'string') {
        parts.push(write(child));
        continue;
      }
      const tag = child.name.slice(child.name.indexOf(':') + 1);
      if (!TAG_NAME.test(tag)) {
        writeChildren(child);
        continue;
      }
      parts.push(`<${tag}${attributesOf(child, child.base ?? base)}>`);
      if (VOID.has(tag)) continue;
      writeChildren(child);
      parts.push(`</${tag}>`);
    }
  };
  writeChildren(element);
  return parts.join('');
}

function attributesOf({ attributes }: XmlElement, base: string | null): string {
  let written = '';
  for (const [name, value] of Object.entries(attributes)) {
    if (!TAG_NAME.test(name) || name === 'xmlns') continue;
    written += ` ${name}="${escapeHtml(base === null ? value : resolveAttribute(name, value, base))}"`;
  }
  return written;
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Characters of a title, a name or a category that are read. */
const MAX_LINE = 5_000;

/** One line of plain text, or null if there is none. */
export function textLine({ kind, value }: TextValue): string | null {
  const written = value.length > MAX_LINE ? value.slice(0, MAX_LINE) : value;
  const text = kind === 'text' ? written : kind === 'html' ? textOfHtml(written) : textOfUnclear(written);
  return cleanLine(text) || null;
}

/**
 * HTML, or null if there is none.
 * @param base of relative URLs
 */
export function htmlOf({ kind, value }: TextValue, base: string): string | null {
  const isText = kind === 'text' || (kind === 'unclear' && !/[<&]/.test(value));
  const html = isText ? paragraphsOf(value) : resolveHtmlUrls(flattenDeepHtml(value), base);
  return cleanText(html).trim() || null;
}

/** Plain text as HTML: an empty line separates paragraphs. */
function paragraphsOf(text: string): string {
  const paragraphs = text.trim().split(/\n[ \t\r]*\n\s*/);
  if (paragraphs.length === 1) return escapeMarkup(text.trim());
  return paragraphs.map((paragraph) => `<p>${escapeMarkup(paragraph)}</p>`).join('\n');
}

/** Inline elements that occur in headlines. A headline such as `Vec<T>` keeps what is none. */
const INLINE = new Set([
  ...['a', 'abbr', 'acronym', 'b', 'bdi', 'bdo', 'big', 'cite', 'code', 'del', 'dfn', 'em', 'font', 'i', 'ins', 'kbd'],
  ...['mark', 'nobr', 'q', 's', 'samp', 'small', 'span', 'strike', 'strong', 'sub', 'sup', 'tt', 'u', 'var', 'wbr'],
  'img',
]);
const BLOCKS = new Set(['br', 'p', 'div', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'li', 'ul', 'ol', 'blockquote', 'hr']);

/** Text that may be HTML: tags that occur in headlines are markup, and all others text. */
function textOfUnclear(written: string): string {
  if (!/[<&]/.test(written)) return written;
  let text = '';
  const isMarkup = (name: string): boolean => INLINE.has(name) || BLOCKS.has(name);
  const asWritten = (): string => written.slice(parser.startIndex, parser.endIndex + 1);
  const parser: Parser = new Parser({
    onopentag: (name) => {
      if (!isMarkup(name)) text += asWritten();
      else if (BLOCKS.has(name)) text += ' ';
    },
    onclosetag: (name, isImplied) => {
      if (!isMarkup(name) && !isImplied) text += asWritten();
      else if (BLOCKS.has(name)) text += ' ';
    },
    ontext: (part) => {
      text += part;
    },
  });
  parser.end(written);
  return text;
}

/** Characters. */
const MAX_URL = 2_048;

/** A URL in a feed as an absolute one, or null if it is not http or https, has credentials, or is too long. */
export function resolveAddress(url: string, base: string | null): string | null {
  const text = url.trim();
  if (text === '' || text.length > MAX_URL) return null;
  const resolved = cleanUrl(text, base ?? undefined);
  return resolved === null || resolved.length > MAX_URL ? null : resolved;
}

/** Attributes of HTML that hold a URL. */
const URL_ATTRIBUTES = new Set(['href', 'src', 'cite', 'poster', 'data', 'longdesc', 'background', 'action']);
/** A URL attribute whose value has no scheme. */
const RELATIVE =
  /[\s"'](?:href|src|srcset|cite|poster|data|longdesc|background|action)\s*=\s*["']?\s*(?![a-z][a-z0-9+.-]*:)/i;

/**
 * Makes the relative URLs of HTML absolute; all else stays as written.
 * @param html not deep: see `flattenDeepHtml`
 * @param base absolute
 */
function resolveHtmlUrls(html: string, base: string): string {
  if (!RELATIVE.test(html)) return html;
  const parts: string[] = [];
  let copied = 0;
  const parser = new Parser(
    {
      onattribute: (name, value, quote) => {
        const resolved = resolveAttribute(name, value, base);
        if (resolved === value || quote === undefined) return;
        parts.push(html.slice(copied, parser.startIndex), `${name}="${escapeHtml(resolved)}"`);
        copied = parser.endIndex;
      },
    },
    { decodeEntities: true },
  );
  parser.end(html);
  return copied === 0 ? html : parts.join('') + html.slice(copied);
}

/** Characters. */
const MAX_SRCSET = 8_192;
/** At the start and after each comma; a URL may have commas within (HTML §4.8.4.2.1). */
const SRCSET_URL = /((?:^|,)\s*)(\S*[^\s,])/g;

/** The value of an attribute with its URLs made absolute. One that cannot be resolved stays as it is. */
function resolveAttribute(name: string, value: string, base: string): string {
  if (name === 'srcset') {
    if (value.length > MAX_SRCSET) return value;
    return value.replace(SRCSET_URL, (_whole, before: string, url: string) => before + absolute(url, base));
  }
  return URL_ATTRIBUTES.has(name) ? absolute(value, base) : value;
}

function absolute(url: string, base: string): string {
  if (/^\s*[a-z][a-z0-9+.-]*:/i.test(url) || url.length > MAX_URL) return url;
  const trimmed = url.trim();
  return URL.canParse(trimmed, base) ? new URL(trimmed, base).href : url;
}

/** A canonical BCP 47 tag, or null: feeds also write `en_US` and `English`. */
export function feedLanguageTag(written: string): string | null {
  return parseLanguageTag(cleanLine(written.slice(0, 100)).replaceAll('_', '-'));
}
