/**
 * Sanitises article bodies: few elements, no scripts, no styles, absolute URLs, well-formed as XML. The output is
 * written from parser events, never copied: an element or attribute that is not listed here cannot occur in it.
 *
 * sanitize-html more than doubled the memory of an import, because its objects outlive every call until a full
 * collection (docs/decisions/2026-11-24-body-sanitiser.md). The tests check this output with it.
 */
import { Parser } from 'htmlparser2';
import MarkdownIt from 'markdown-it';
// @ts-expect-error It has no types.
import footnotes from 'markdown-it-footnote';
import { type OwnSites, privateHost } from '../lib/private-address.ts';
import { cleanText, cleanUrl, hasVisibleCharacter, resolveUrl } from '../lib/text/clean-text.ts';
import { removeUnpairedDirections } from '../lib/text/text-direction.ts';
import { textOfHtml } from '../sources/html-text.ts';

export interface SanitisedBody {
  html: string;
  /** Elements removed with their content, such as `<script>`, and links and images without a usable URL. */
  removed: string[];
}

/** The body cannot be parsed. */
export class BodyError extends Error {
  override name = 'BodyError';
}

type Attributes = Record<string, string>;

// `s` is allowed: newsrooms strike out text that no longer applies, and without the element it would read as valid.
const ELEMENTS = new Set([
  ...['p', 'br', 'hr', 'h2', 'h3', 'h4', 'blockquote', 'pre', 'figure', 'figcaption', 'img', 'a'],
  ...['em', 'strong', 'b', 'i', 's', 'code', 'sub', 'sup', 'ul', 'ol', 'li', 'dl', 'dt', 'dd'],
  ...['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
]);
const VOID = new Set(['br', 'hr', 'img']);
const RENAMED = new Map([
  ['h1', 'h2'],
  ['h5', 'h4'],
  ['h6', 'h4'],
  ['del', 's'],
  ['strike', 's'],
]);
/** Removed with their content. Of other elements that are not allowed, the content is kept. */
const REMOVED_WITH_CONTENT = new Set([
  ...['script', 'style', 'noscript', 'template', 'title', 'iframe', 'object', 'embed', 'noembed', 'noframes', 'xmp'],
  ...['plaintext', 'svg', 'math', 'canvas', 'audio', 'video', 'select', 'option', 'textarea', 'button'],
]);
/** Deeper elements are dropped and their content kept: later code may walk a body by recursion. */
const MAX_DEPTH = 64;
/** The parser's time grows with the square of the depth: a depth of 50,000 takes eight seconds. */
const MAX_SOURCE_DEPTH = 1_000;
/**
 * Characters of a sanitised body, twice the most that an author may write. Each step from the store to feeds and pages
 * takes time for each of them, and 2 KB of a link's address used by reference 100,000 times would be 200 MB.
 */
const MAX_HTML = 2_000_000;

const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false }).use(footnotes);
// Notes are read without links, in feeds and emails. Pages add them (pages/page-body.ts).
markdown.renderer.rules.footnote_caption = (tokens, index) => `[${Number(tokens[index]?.meta?.id) + 1}]`;
markdown.renderer.rules.footnote_anchor = () => '';

/** Renders Markdown (CommonMark, tables, strikethrough, footnotes), and sanitises it as `sanitiseHtml` does. */
export function sanitiseMarkdown(source: string, sites: OwnSites, imageUrl?: ImageUrl): SanitisedBody {
  return sanitiseHtml(markdown.render(cleanText(source)), sites, imageUrl);
}

/** The first heading of Markdown, of those of the first level if there are any: its text, and its lines from 0. */
export function findHeading(source: string): { text: string; line: number; lines: number } | null {
  const tokens = markdown.parse(source, {});
  const headings = tokens.filter(({ type, level, map }) => type === 'heading_open' && level === 0 && map !== null);
  const found = headings.find(({ tag }) => tag === 'h1') ?? headings[0];
  if (!found?.map) return null;
  const [line, end] = found.map;
  const { content } = tokens[tokens.indexOf(found) + 1] ?? { content: '' };
  return { text: textOfHtml(markdown.renderInline(content)), line, lines: end - line };
}

/**
 * Keeps the allowed elements with their allowed attributes. Of other elements the content is kept, except for scripts
 * and the like.
 * @param sites relative URLs are resolved below the publication's URL
 * @param imageUrl for images whose address means something else
 * @throws BodyError if elements nest a thousand deep, or the result is longer than two million characters
 */
export function sanitiseHtml(source: string, sites: OwnSites, imageUrl?: ImageUrl): SanitisedBody {
  const removed = new Set<string>();
  const onRemoved = (what: string): void => void removed.add(what);
  const html = sanitise(source, sites, { maxLength: MAX_HTML, onRemoved, ...(imageUrl && { imageUrl }) });
  return { html, removed: [...removed] };
}

const INLINE_ELEMENTS = new Set(['a', 'em', 'strong', 'b', 'i', 's', 'code', 'sub', 'sup', 'br']);
const REMOVED_FROM_INLINE = new Set([...REMOVED_WITH_CONTENT, 'figcaption']);

/**
 * Reduces a fragment of a sanitised body to inline markup, without captions. Closes or removes elements that are
 * incomplete in it.
 */
export function sanitiseInline(fragment: string): string {
  return sanitise(fragment, null, { elements: INLINE_ELEMENTS, removedWithContent: REMOVED_FROM_INLINE });
}

/** The address of an image; undefined for one that is resolved as usual, null to remove it. @param src as written */
export type ImageUrl = (src: string) => string | null | undefined;

interface SanitiserOptions {
  /** Default: those of a body. */
  elements?: ReadonlySet<string>;
  removedWithContent?: ReadonlySet<string>;
  /** Characters of the output. Default: any number. */
  maxLength?: number;
  imageUrl?: ImageUrl;
  /** An element was removed with its content. */
  onRemoved?(what: string): void;
}

/** @param sites null rejects relative URLs, and does not look for private addresses */
function sanitise(source: string, sites: OwnSites | null, options: SanitiserOptions): string {
  const { elements = ELEMENTS, removedWithContent = REMOVED_WITH_CONTENT, onRemoved } = options;
  const { maxLength = Number.POSITIVE_INFINITY } = options;
  /** For each open element of the source its end tag in the output, or an empty string. */
  const open: string[] = [];
  let html = '';
  let depth = 0;
  /** Number of open elements within one that is removed with its content, itself included. */
  let removedDepth = 0;
  /** Whether a block is now directly in another, from which only a dropped element kept it apart. */
  let joinsBlocks = false;
  const parser = new Parser({
    onopentag(name, given) {
      if (html.length > maxLength) throw new BodyError(`becomes more than ${maxLength} characters of HTML`);
      if (open.length + removedDepth > MAX_SOURCE_DEPTH) throw new BodyError('nests its elements more than 1000 deep');
      if (removedDepth > 0 || removedWithContent.has(name)) {
        if (removedDepth === 0) onRemoved?.(`<${name}>`);
        removedDepth += 1;
        return;
      }
      const element = RENAMED.get(name) ?? name;
      const isAllowed = elements.has(element) && depth < MAX_DEPTH && !(element === 'a' && open.includes('</a>'));
      const attributes = isAllowed ? attributesOf(element, given, sites, options) : null;
      if (attributes === null) {
        open.push('');
        return;
      }
      const isVoid = VOID.has(element);
      if (open.at(-1) === '' && !INLINE_ELEMENTS.has(element)) joinsBlocks ||= isInBlock(open);
      html += `<${element}${serialise(attributes)}${isVoid ? ' /' : ''}>`;
      open.push(isVoid ? '' : `</${element}>`);
      if (!isVoid) depth += 1;
    },
    ontext(text) {
      if (removedDepth === 0) html += escapeText(removeUnpairedDirections(text));
      if (html.length > maxLength) throw new BodyError(`becomes more than ${maxLength} characters of HTML`);
    },
    onclosetag() {
      if (removedDepth > 0) {
        removedDepth -= 1;
        return;
      }
      const end = open.pop() ?? '';
      if (end !== '') depth -= 1;
      html += end;
    },
  });
  parser.write(cleanText(source));
  parser.end();
  // Again: `&#1;` in the source has become the character itself.
  const cleaned = cleanText(html).trim();
  // A browser ends a paragraph before the next one: the tags must say the same.
  return joinsBlocks ? sanitise(cleaned, sites, { elements, removedWithContent, maxLength }) : cleaned;
}

/** @param open the end tags of the open elements; an empty string for each that was dropped */
function isInBlock(open: readonly string[]): boolean {
  const parent = open.findLast((end) => end !== '');
  return parent !== undefined && !INLINE_ELEMENTS.has(parent.slice(2, -1));
}

/** Whether sanitised HTML displays nothing: no letter, no image. */
export function isBlankBody(html: string): boolean {
  return !html.includes('<img ') && !hasVisibleCharacter(html.replace(/<[^>]*>/g, ''));
}

/** The attributes that an element keeps, or null if it lacks one without which it is useless. */
function attributesOf(
  element: string,
  given: Attributes,
  sites: OwnSites | null,
  { onRemoved, imageUrl }: Pick<SanitiserOptions, 'onRemoved' | 'imageUrl'>,
): Attributes | null {
  switch (element) {
    case 'a': {
      const href = linkUrl(given.href ?? '', sites);
      const objection = objectionTo(href, given.href ?? '', sites);
      if (objection !== null) onRemoved?.(`a link ${objection}`);
      return href === null || objection !== null ? null : { href };
    }
    case 'img': {
      const written = given.src ?? '';
      const own = imageUrl?.(written);
      if (own === null) return null;
      const src = own ?? (written.trim() === '' ? null : absoluteUrl(written, sites));
      const objection = src === null ? 'without an http or https address' : objectionTo(src, src, sites);
      if (objection !== null) onRemoved?.(`an image ${objection}`);
      if (src === null || objection !== null) return null;
      return { src, alt: given.alt ?? '', ...numbers(given, ['width', 'height']) };
    }
    case 'ol':
      return numbers(given, ['start']);
    case 'td':
    case 'th':
      return numbers(given, ['colspan', 'rowspan']);
    default:
      return {};
  }
}

function linkUrl(href: string, sites: OwnSites | null): string | null {
  const text = href.trim();
  // A fragment leads nowhere in a feed or an email.
  if (text === '' || text.startsWith('#')) return null;
  if (/^mailto:/i.test(text)) return URL.canParse(text) ? new URL(text).href : null;
  return absoluteUrl(text, sites);
}

/** Why an article must not have a URL, or null. Bodies that are stored already (`sites` is null) keep theirs. */
function objectionTo(url: string | null, written: string, sites: OwnSites | null): string | null {
  if (sites === null) return null;
  const text = written.trim();
  if (url === null) {
    return text === '' || text.startsWith('#') ? null : 'that is not http, https or mailto, or has a user name';
  }
  if (!url.startsWith('mailto:')) {
    const host = privateHost(url, sites);
    return host === null ? null : `at the private address ${host}`;
  }
  // Some mail programs take what follows as another header. The URL parser drops a line end that is not encoded, and
  // tabs: `%0<tab>a` is a line end only in its result.
  return /[\r\n]/.test(text) || /%0[ad]/i.test(url) ? 'to an email address with a line break' : null;
}

function absoluteUrl(url: string, sites: OwnSites | null): string | null {
  return sites === null ? cleanUrl(url) : resolveUrl(url, sites.baseUrl ?? sites.publicUrl);
}

function numbers(given: Attributes, names: string[]): Attributes {
  return Object.fromEntries(
    names.flatMap((name) => (/^\d{1,5}$/.test(given[name] ?? '') ? [[name, String(Number(given[name]))]] : [])),
  );
}

function serialise(attributes: Attributes): string {
  let text = '';
  for (const name in attributes) text += ` ${name}="${escapeText(attributes[name] ?? '').replaceAll('"', '&quot;')}"`;
  return text;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
