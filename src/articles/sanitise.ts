/**
 * The body as readers may have it: few elements, no script, no style, absolute addresses, well-formed as XML. It is
 * written anew from what the parser saw, never passed through: an element or attribute that is not named here cannot
 * come out.
 *
 * Not sanitize-html: its objects outlive every call until a full collection, which more than doubled the memory of an
 * import (docs/decisions/2026-11-24-body-sanitiser.md). It judges this file's output in the tests instead.
 */
import { Parser } from 'htmlparser2';
import MarkdownIt from 'markdown-it';
import { cleanText, cleanUrl, resolveUrl } from '../lib/clean-text.ts';

export interface SanitisedBody {
  html: string;
  /** What was taken out together with its content, such as `<script>` or an image without a usable address. */
  removed: string[];
}

/** Why a body cannot be read at all. */
export class BodyError extends Error {
  override name = 'BodyError';
}

type Attributes = Record<string, string>;

// `s` is allowed because striking out is how newsrooms show what they take back: without it the words would stand.
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
/** Gone with all that is in them; of any other element that is not allowed the content stays. */
const GONE = new Set([
  ...['script', 'style', 'noscript', 'template', 'title', 'iframe', 'object', 'embed', 'noembed', 'noframes', 'xmp'],
  ...['plaintext', 'svg', 'math', 'canvas', 'audio', 'video', 'select', 'option', 'textarea', 'button'],
]);
/** Deeper ones are left out and their content kept: what renders a body later may walk it by recursion. */
const DEEPEST = 64;
/** The parser's time grows with the square of the depth: 50,000 take eight seconds. */
const DEEPEST_SOURCE = 1_000;

const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });

/** Renders Markdown (CommonMark, tables, strikethrough; HTML in it is sanitised like any other); see `sanitiseHtml`. */
export function sanitiseMarkdown(source: string, publicUrl: string): SanitisedBody {
  return sanitiseHtml(markdown.render(cleanText(source)), publicUrl);
}

/**
 * Keeps the allowed elements and their few attributes; of others the content alone, and of script and its like nothing.
 * @param publicUrl the publication's address, without a slash at its end; relative addresses are taken below it,
 *   or rejected if it is null
 * @param elements the allowed elements
 * @throws BodyError where elements nest a thousand deep
 */
export function sanitiseHtml(source: string, publicUrl: string | null, elements = ELEMENTS): SanitisedBody {
  const removed = new Set<string>();
  /** For each open element of the source, what it is in the output: an end tag, or nothing. */
  const open: string[] = [];
  let html = '';
  let depth = 0;
  let gone = 0;
  const parser = new Parser({
    onopentag(name, given) {
      if (open.length + gone > DEEPEST_SOURCE) throw new BodyError('nests its elements more than 1000 deep');
      if (gone > 0 || GONE.has(name)) {
        if (gone === 0) removed.add(`<${name}>`);
        gone += 1;
        return;
      }
      const element = RENAMED.get(name) ?? name;
      const attributes = elements.has(element) && depth < DEEPEST ? attributesOf(element, given, publicUrl) : null;
      if (element === 'img' && attributes === null) removed.add('an image without an http or https address');
      const isLinkInLink = element === 'a' && open.includes('</a>');
      if (attributes === null || isLinkInLink) {
        open.push('');
      } else if (VOID.has(element)) {
        html += `<${element}${written(attributes)} />`;
        open.push('');
      } else {
        html += `<${element}${written(attributes)}>`;
        open.push(`</${element}>`);
        depth += 1;
      }
    },
    ontext(text) {
      if (gone === 0) html += escapeText(text);
    },
    onclosetag() {
      if (gone > 0) {
        gone -= 1;
        return;
      }
      const end = open.pop() ?? '';
      if (end !== '') depth -= 1;
      html += end;
    },
  });
  parser.write(cleanText(source));
  parser.end();
  // Once more: `&#1;` in the source has become the character it stands for.
  return { html: cleanText(html).trim(), removed: [...removed] };
}

const INLINE_ELEMENTS = new Set(['a', 'em', 'strong', 'b', 'i', 's', 'code', 'sub', 'sup', 'br']);

/** Reduces a fragment of a sanitised body to inline markup. Closes or removes elements that are incomplete in it. */
export function sanitiseInline(fragment: string): string {
  return sanitiseHtml(fragment, null, INLINE_ELEMENTS).html;
}

/** Whether a sanitised body shows a reader nothing: no letter, no image. */
export function showsNothing(html: string): boolean {
  return !html.includes('<img ') && !/[^\s\p{Cf}]/u.test(html.replace(/<[^>]*>/g, ''));
}

/** The attributes an element keeps, or null where it is worth nothing without those it lacks. */
function attributesOf(element: string, given: Attributes, publicUrl: string | null): Attributes | null {
  switch (element) {
    case 'a': {
      const href = linkUrl(given.href ?? '', publicUrl);
      return href === null ? null : { href };
    }
    case 'img': {
      const src = (given.src ?? '').trim() === '' ? null : absoluteUrl(given.src ?? '', publicUrl);
      return src === null ? null : { src, alt: given.alt ?? '', ...numbers(given, ['width', 'height']) };
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

function linkUrl(href: string, publicUrl: string | null): string | null {
  const text = href.trim();
  // A place within the article is none in a feed or an email, where there is no such page.
  if (text === '' || text.startsWith('#')) return null;
  if (/^mailto:/i.test(text)) return URL.canParse(text) ? new URL(text).href : null;
  return absoluteUrl(text, publicUrl);
}

function absoluteUrl(url: string, publicUrl: string | null): string | null {
  return publicUrl === null ? cleanUrl(url) : resolveUrl(url, publicUrl);
}

function numbers(given: Attributes, names: string[]): Attributes {
  return Object.fromEntries(
    names.flatMap((name) => (/^\d{1,5}$/.test(given[name] ?? '') ? [[name, String(Number(given[name]))]] : [])),
  );
}

function written(attributes: Attributes): string {
  let text = '';
  for (const name in attributes) text += ` ${name}="${escapeText(attributes[name] ?? '').replaceAll('"', '&quot;')}"`;
  return text;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
