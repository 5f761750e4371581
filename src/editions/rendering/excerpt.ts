/** Extracts the first paragraphs of an article's body for an email: text with links and emphasis only. */
import { sanitiseInline } from '../../articles/sanitise.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { shorten } from '../../lib/text/shorten.ts';
import type { Paragraph } from './edition-view.ts';

export interface Excerpt {
  paragraphs: Paragraph[];
  /** Whether the body has more: further paragraphs, or a picture, table or listing that an email omits. */
  more: boolean;
}

export interface ExcerptLimits {
  paragraphs: number;
  /** Bytes of HTML: mail programs clip messages by bytes, and a Chinese character takes three. */
  bytes: number;
}

const OMITTED = ['figure', 'table', 'pre'];

// Boundaries between paragraphs. A sanitised body has no `<` or `>` except in tags.
const BLOCK_EDGE = /<(\/?)(p|h[2-6]|blockquote|ul|ol|li|dl|dt|dd|div|figure|table|pre)\b[^>]*>|<hr\b[^>]*>/g;

/** Characters of HTML that are read of one paragraph, and of all. An edition is composed while others wait. */
const MAX_PARAGRAPH = 50_000;
const MAX_READ = 4 * MAX_PARAGRAPH;

/**
 * Takes paragraphs, headings and list items in order until a limit is reached. If the first paragraph is too long it is
 * shortened, without its markup; a later one that is too long ends the excerpt. An excerpt never ends on a heading, or
 * with the colon of a sentence whose rest is omitted, and headings never take the place of the first paragraph.
 * @param bodyHtml sanitised; sanitised again here to inline markup
 */
export function buildExcerpt(bodyHtml: string, limits: ExcerptLimits): Excerpt {
  let taken: TakenParagraph[] = [];
  let bytes = 0;
  let read = 0;
  let more = bodyHtml.includes('<img ');
  for (const block of textBlocks(bodyHtml)) {
    if (block.kind === 'omission' || read > MAX_READ) {
      more = true;
      if (!LEADS_ON.test(taken.at(-1)?.text ?? '')) continue;
      taken = withoutLeadIns(taken);
      if (taken.length > 0) break;
      bytes = 0;
      continue;
    }
    const html = firstPart(block.html, MAX_PARAGRAPH);
    const isCut = html.length < block.html.length;
    more ||= isCut;
    if (!hasText(html)) continue;
    read += html.length;
    const paragraph = toParagraph({ ...block, html });
    if (paragraph === null) continue;
    const size = isCut ? Number.POSITIVE_INFINITY : Buffer.byteLength(paragraph.html);
    if (taken.length === limits.paragraphs || bytes + size > limits.bytes) {
      more = true;
      taken = withoutLastHeadings(taken);
      if (taken.length > 0) break;
      bytes = 0;
      if (size > limits.bytes) {
        if (block.kind === 'heading') continue;
        taken = [{ ...shortened(paragraph, limits.bytes), kind: block.kind }];
        break;
      }
    }
    taken.push({ ...paragraph, kind: block.kind });
    bytes += size;
  }
  const kept = more ? withoutLeadIns(taken) : withoutLastHeadings(taken);
  return { paragraphs: kept.map(({ html, text }) => ({ html, text })), more: more || kept.length < taken.length };
}

type TakenParagraph = Paragraph & Pick<TextBlock, 'kind'>;

function withoutLastHeadings(paragraphs: TakenParagraph[]): TakenParagraph[] {
  return paragraphs.slice(0, paragraphs.findLastIndex(({ kind }) => kind !== 'heading') + 1);
}

const LEADS_ON = /[:：]$/;
/** Not after `z. B.`, nor inside a tag. */
const SENTENCE_END = new RegExp(
  '(?<=[\\p{L}\\p{N})\\]%]{2}(?:</\\w+>)*[.!?…](?:["”“»’)]|&quot;|</\\w+>)*)' +
    '\\s+(?=(?:<\\w+[^>]*>)*["“„«‘(¿¡&]?[\\p{Lu}\\p{Lo}\\p{N}])' +
    '|(?<=[。！？][」』”）]?)(?![」』”）])',
  'gu',
);

/** Ends before a sentence that ends with a colon: what it announces is omitted. */
function withoutLeadIns(paragraphs: TakenParagraph[]): TakenParagraph[] {
  const kept = withoutLastHeadings(paragraphs);
  const last = kept.at(-1);
  if (last === undefined || !LEADS_ON.test(last.text)) return kept;
  const ends = Array.from(last.html.matchAll(SENTENCE_END), ({ index }) => last.html.slice(0, index));
  const html = ends.findLast(
    (part) => hasText(part) && part.split('</').length === part.split(/<[a-z]+(?! \/)\b/).length,
  );
  const rest = html === undefined ? [] : [{ ...last, html, text: toText(html) }];
  return withoutLeadIns([...kept.slice(0, -1), ...rest]);
}

interface TextBlock {
  html: string;
  kind: 'paragraph' | 'heading' | 'list item';
}

/** The blocks in order, and each place where something is omitted. Finds each only when it is wanted. */
function* textBlocks(bodyHtml: string): Generator<TextBlock | { kind: 'omission' }> {
  /** The omitted element that contains the current position, and its nesting depth. */
  let skipping: { tag: string; depth: number } | null = null;
  let kind: TextBlock['kind'] = 'paragraph';
  let from = 0;
  for (const edge of bodyHtml.matchAll(BLOCK_EDGE)) {
    const [whole, slash, tag] = edge;
    const html = bodyHtml.slice(from, edge.index);
    from = edge.index + whole.length;
    if (skipping === null && html.trim() !== '') {
      yield { html, kind };
      kind = 'paragraph';
    }
    if (tag === undefined || OMITTED.includes(tag)) {
      yield { kind: 'omission' };
      skipping = tag === undefined ? skipping : within(skipping, tag, slash === '/' ? -1 : 1);
    } else if (skipping === null) {
      kind = slash === '/' ? 'paragraph' : kindOf(tag, kind);
    }
  }
  if (skipping === null) yield { html: bodyHtml.slice(from), kind };
}

/** The first `length` characters of sanitised HTML at most, without an incomplete tag or entity at the end. */
function firstPart(html: string, length: number): string {
  if (html.length <= length) return html;
  const part = html.slice(0, length);
  const tag = part.lastIndexOf('<');
  if (tag > part.lastIndexOf('>')) return part.slice(0, tag);
  return part.replace(/&[a-z]{0,5}$/, '').replace(/[\uD800-\uDBFF]$/, '');
}

/** Whether something is visible outside tags. */
function hasText(html: string): boolean {
  return /[^\s\p{Cf}]/u.test(html.replace(/<[^>]*>/g, ''));
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

function kindOf(tag: string, before: TextBlock['kind']): TextBlock['kind'] {
  if (/^h\d$|^dt$/.test(tag)) return 'heading';
  if (tag === 'li') return 'list item';
  // In `<li><p>` the paragraph is the list item.
  return tag === 'p' ? before : 'paragraph';
}

function toParagraph(block: TextBlock): Paragraph | null {
  // An excerpt has no footnotes.
  const inner = trimBreaks(sanitiseInline(block.html)).replace(/<sup>\[\d{1,4}\]<\/sup>/g, '');
  // A link without text would still show its URL.
  if (!hasText(inner)) return null;
  const text = toText(inner);
  switch (block.kind) {
    case 'heading':
      return { html: `<strong>${inner}</strong>`, text };
    case 'list item':
      return { html: `• ${inner}`, text: `• ${text}` };
    case 'paragraph':
      return { html: inner, text };
  }
}

/** Removes white space and line breaks at both ends. A regular expression takes minutes for a megabyte of spaces. */
function trimBreaks(html: string): string {
  let trimmed = html.replace(/^(?:\s|<br \/>)+/, '').trimEnd();
  while (trimmed.endsWith(BREAK)) trimmed = trimmed.slice(0, -BREAK.length).trimEnd();
  return trimmed;
}

const BREAK = '<br />';

const LINK = /<a href="([^"]*)">(.*?)<\/a>/gs;

/**
 * Sanitised text has only inline elements and four entities. html-to-text gives the same text, but took a
 * tenth of the time of composing an edition.
 */
function toText(inner: string): string {
  return inner
    .replace(LINK, (_, href: string, text: string) => (text === href ? text : `${text} (${href})`))
    .replace(/\s+/g, ' ')
    .replace(/ ?<br \/> ?/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot);/g, (_, name: string) => CHARACTERS[name] as string)
    .trim();
}

const CHARACTERS: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function shortened({ text }: Paragraph, bytes: number): Paragraph {
  // A character takes at most four bytes in UTF-8, an escaped one at most six.
  const short = shorten(text, Math.floor(bytes / 6));
  return { html: escapeHtml(short), text: short };
}
