/**
 * The first paragraphs of an article's body for an email: running text with links and emphasis, and nothing else.
 */
import sanitizeHtml from 'sanitize-html';
import type { Paragraph } from './edition-view.ts';
import { shorten } from './shorten.ts';

export interface Excerpt {
  paragraphs: Paragraph[];
  /** Whether the body holds more than these: further paragraphs, or a picture, table or listing that an email leaves out. */
  more: boolean;
}

export interface ExcerptLimits {
  paragraphs: number;
  /** Bytes of HTML: mail programs clip a message by its bytes, and a Chinese character takes three. */
  bytes: number;
}

const INLINE = ['a', 'em', 'strong', 'b', 'i', 's', 'code', 'sub', 'sup', 'br'];
const LEFT_OUT = ['figure', 'figcaption', 'img', 'table', 'pre', 'hr'];
const inlineOnly: sanitizeHtml.IOptions = {
  allowedTags: INLINE,
  allowedAttributes: { a: ['href'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  nonTextTags: [...LEFT_OUT, 'script', 'style', 'textarea', 'option', 'noscript'],
  exclusiveFilter: ({ tag, attribs }) => (tag === 'a' && attribs.href === undefined ? 'excludeTag' : false),
};

// Where one paragraph ends and the next begins. A sanitised body has no `<` or `>` but those of its tags.
const BLOCK_EDGE = /<(\/?)(p|h[2-6]|blockquote|ul|ol|li|dl|dt|dd|div|figure|table|pre)\b[^>]*>|<hr\b[^>]*>/g;

/**
 * Takes the body's paragraphs, headings and list items in order, until a limit is reached. A first paragraph that is too long is
 * shortened, without its markup; a later one ends the excerpt.
 * @param bodyHtml sanitised; it is sanitised again, for inline markup alone
 */
export function excerptOf(bodyHtml: string, limits: ExcerptLimits): Excerpt {
  const paragraphs: Paragraph[] = [];
  let bytes = 0;
  const { blocks, leftOut } = splitBlocks(bodyHtml);
  for (const block of blocks) {
    const paragraph = toParagraph(block);
    if (paragraph === null) continue;
    const size = Buffer.byteLength(paragraph.html);
    if (paragraphs.length === limits.paragraphs || bytes + size > limits.bytes) {
      if (paragraphs.length === 0) paragraphs.push(shortened(paragraph, limits.bytes));
      return { paragraphs, more: true };
    }
    paragraphs.push(paragraph);
    bytes += size;
  }
  return { paragraphs, more: leftOut };
}

interface Block {
  html: string;
  as: 'paragraph' | 'heading' | 'list item';
}

function splitBlocks(bodyHtml: string): { blocks: Block[]; leftOut: boolean } {
  const blocks: Block[] = [];
  let leftOut = bodyHtml.includes('<img ');
  /** The element left out that the reading stands in, and how deep. */
  let skipping: { tag: string; depth: number } | null = null;
  let as: Block['as'] = 'paragraph';
  let from = 0;
  const flush = (until: number): void => {
    const html = bodyHtml.slice(from, until);
    if (skipping !== null || html.trim() === '') return;
    blocks.push({ html, as });
    as = 'paragraph';
  };
  for (const edge of bodyHtml.matchAll(BLOCK_EDGE)) {
    const [whole, slash, tag] = edge;
    flush(edge.index);
    from = edge.index + whole.length;
    if (tag === undefined || LEFT_OUT.includes(tag)) {
      leftOut = true;
      skipping = tag === undefined ? skipping : within(skipping, tag, slash === '/' ? -1 : 1);
    } else if (skipping === null) {
      as = slash === '/' ? 'paragraph' : kindOf(tag, as);
    }
  }
  flush(bodyHtml.length);
  return { blocks, leftOut };
}

function within(
  skipping: { tag: string; depth: number } | null,
  tag: string,
  step: 1 | -1,
): { tag: string; depth: number } | null {
  if (skipping === null) return step === 1 ? { tag, depth: 1 } : null;
  if (skipping.tag !== tag) return skipping;
  const depth = skipping.depth + step;
  return depth === 0 ? null : { tag, depth };
}

function kindOf(tag: string, before: Block['as']): Block['as'] {
  if (/^h\d$|^dt$/.test(tag)) return 'heading';
  if (tag === 'li') return 'list item';
  // `<li><p>`: the paragraph is the item.
  return tag === 'p' ? before : 'paragraph';
}

function toParagraph(block: Block): Paragraph | null {
  // An element that was opened in one block and closed in another is closed, or dropped, here.
  const inner = sanitizeHtml(block.html, inlineOnly).replace(/^(?:\s|<br \/>)+|(?:\s|<br \/>)+$/g, '');
  // A link without words would still show its address in text.
  if (!/[^\s\p{Cf}]/u.test(inner.replace(/<[^>]*>/g, ''))) return null;
  const text = toText(inner);
  switch (block.as) {
    case 'heading':
      return { html: `<strong>${inner}</strong>`, text };
    case 'list item':
      return { html: `• ${inner}`, text: `• ${text}` };
    case 'paragraph':
      return { html: inner, text };
  }
}

const LINK = /<a href="([^"]*)">(.*?)<\/a>/gs;

/**
 * What sanitize-html gives holds these elements and four entities, and nothing else. html-to-text says the same, but took a tenth of
 * the time of composing a whole edition.
 */
function toText(inner: string): string {
  const addressed = inner.replace(LINK, (_, href: string, words: string) =>
    words === href ? words : `${words} (${href})`,
  );
  return addressed
    .replace(/\s+/g, ' ')
    .replace(/ ?<br \/> ?/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot);/g, (_, name: string) => CHARACTERS[name] as string)
    .trim();
}

const CHARACTERS: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function shortened({ text }: Paragraph, bytes: number): Paragraph {
  // No character takes more than four bytes in UTF-8, no escaped one more than six.
  const short = shorten(text, Math.floor(bytes / 6));
  return { html: escapeHtml(short), text: short };
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as HTML, for an element's content or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
