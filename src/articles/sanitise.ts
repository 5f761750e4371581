/**
 * The body as readers may have it: few elements, no script, no style, absolute addresses, well-formed as XML.
 */
import MarkdownIt from 'markdown-it';
import sanitizeHtml from 'sanitize-html';
import { cleanText, resolveUrl } from './clean.ts';

export interface SanitisedBody {
  html: string;
  /** What was taken out together with its content, such as `<script>` or an image without a usable address. */
  removed: string[];
}

// `s` is allowed because striking out is how newsrooms show what they take back: without it the words would stand.
const ELEMENTS = [
  ...['p', 'br', 'hr', 'h2', 'h3', 'h4', 'blockquote', 'pre', 'figure', 'figcaption', 'img', 'a'],
  ...['em', 'strong', 'b', 'i', 's', 'code', 'sub', 'sup', 'ul', 'ol', 'li', 'dl', 'dt', 'dd'],
  ...['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
];
const RENAMED: Record<string, string> = { h1: 'h2', h5: 'h4', h6: 'h4', del: 's', strike: 's' };
const WITH_CONTENT = [
  ...['script', 'style', 'noscript', 'template', 'title', 'iframe', 'object', 'embed', 'noembed', 'noframes', 'xmp'],
  ...['svg', 'math', 'canvas', 'audio', 'video', 'select', 'option', 'textarea', 'button'],
];
/** Deeper ones are dropped and their content kept: what renders a body later may walk it by recursion. */
const DEEPEST = 64;

const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });

/** Renders Markdown (CommonMark, tables, strikethrough; HTML in it is sanitised like any other). @param publicUrl see `sanitiseHtml` */
export function sanitiseMarkdown(source: string, publicUrl: string): SanitisedBody {
  return sanitiseHtml(markdown.render(cleanText(source)), publicUrl);
}

/**
 * Keeps the allowed elements and their few attributes; of others the content alone, and of script and its like nothing.
 * @param publicUrl the publication's address, without a slash at its end; relative addresses are taken below it
 */
export function sanitiseHtml(source: string, publicUrl: string): SanitisedBody {
  const removed = new Set<string>();
  const html = sanitizeHtml(cleanText(source), {
    allowedTags: ELEMENTS,
    allowedAttributes: {
      a: ['href'],
      img: ['src', 'alt', 'width', 'height'],
      ol: ['start'],
      td: ['colspan', 'rowspan'],
      th: ['colspan', 'rowspan'],
    },
    nonTextTags: WITH_CONTENT,
    nestingLimit: DEEPEST,
    // Addresses are checked and made absolute below, by the same rule as all others.
    allowedSchemes: ['http', 'https', 'mailto'],
    transformTags: { '*': (name, attributes) => element(name, attributes, publicUrl) },
    onOpenTag: (name) => {
      if (WITH_CONTENT.includes(name)) removed.add(`<${name}>`);
    },
    exclusiveFilter: ({ tag, attribs }) => {
      if (tag === 'img' && attribs.src === undefined) {
        removed.add('an image without an http or https address');
        return true;
      }
      return tag === 'a' && attribs.href === undefined ? 'excludeTag' : false;
    },
  });
  // Once more: `&#1;` in the source has become the character it stands for.
  return { html: cleanText(html).trim(), removed: [...removed] };
}

/** Whether a sanitised body shows a reader nothing: no letter, no image. */
export function showsNothing(html: string): boolean {
  return !html.includes('<img ') && !/[^\s\p{Cf}]/u.test(html.replace(/<[^>]*>/g, ''));
}

function element(name: string, attributes: sanitizeHtml.Attributes, publicUrl: string): sanitizeHtml.Tag {
  return { tagName: RENAMED[name] ?? name, attribs: attributesOf(name, attributes, publicUrl) };
}

function attributesOf(name: string, given: sanitizeHtml.Attributes, publicUrl: string): sanitizeHtml.Attributes {
  switch (name) {
    case 'a': {
      const href = linkUrl(given.href ?? '', publicUrl);
      return href === null ? {} : { href };
    }
    case 'img': {
      const src = (given.src ?? '').trim() === '' ? null : resolveUrl(given.src ?? '', publicUrl);
      if (src === null) return {};
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

function linkUrl(href: string, publicUrl: string): string | null {
  const text = href.trim();
  // A place within the article is none in a feed or an email, where there is no such page.
  if (text === '' || text.startsWith('#')) return null;
  if (/^mailto:/i.test(text)) return URL.canParse(text) ? new URL(text).href : null;
  return resolveUrl(text, publicUrl);
}

function numbers(given: sanitizeHtml.Attributes, names: string[]): sanitizeHtml.Attributes {
  return Object.fromEntries(
    names.flatMap((name) => (/^\d{1,5}$/.test(given[name] ?? '') ? [[name, String(Number(given[name]))]] : [])),
  );
}
