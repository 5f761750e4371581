/**
 * Makes HTML of the content of a post as WordPress stores it: paragraphs are blank lines, players are addresses on a
 * line of their own, and plugins put shortcodes in brackets.
 */
import { cleanUrl } from '../../lib/text/clean-text.ts';
import { escapeHtml } from '../../lib/text/html.ts';

/** A shortcode: its name, and its attributes. Text in brackets, such as "[sic]", has none of them. */
const SHORTCODE = /\[(\/?)([A-Za-z][\w-]{0,60})((?:\s[^[\]]{0,2000})?)\/?\]/g;
/** Shortcodes of WordPress itself. */
const BUILT_IN = new Set(['caption', 'wp_caption', 'gallery', 'embed', 'audio', 'video', 'playlist']);
const MEDIA = new Set(['audio', 'video']);
const BLOCK_ELEMENTS = [
  ...['address', 'article', 'aside', 'blockquote', 'details', 'div', 'dl', 'fieldset', 'figure', 'footer', 'form'],
  ...['h[1-6]', 'header', 'hr', 'iframe', 'li', 'main', 'nav', 'ol', 'p', 'pre', 'section', 'script', 'style'],
  ...['table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr', 'ul'],
];
const TAG = `</?(?:${BLOCK_ELEMENTS.join('|')})\\b`;
const BLOCK = new RegExp(`^\\s*(?:<!--|${TAG})`, 'i');
/** The editor writes no blank line before and after a heading or a list, and WordPress takes one to be there. */
const BLOCK_TAG = new RegExp(`${TAG}[^<>]*>`, 'gi');
/** A start tag, or the end of an element that may have several paragraphs. */
const OPENS_OR_HOLDS_PARAGRAPHS = /^<(?!\/)|^<\/(?:article|aside|blockquote|details|div|main|section)\b/i;
const FREEFORM = { start: '<!-- wp:freeform -->', end: '<!-- /wp:freeform -->' };

/**
 * @param content as in `content:encoded`
 * @param onRemoved called with the name of each shortcode that is removed
 */
export function htmlOfContent(content: string, onRemoved: (name: string) => void): string {
  const text = content.replace(/\r\n?/g, '\n');
  const withoutShortcodes = replaceShortcodes(text, onRemoved);
  const linked = linkAddresses(withoutShortcodes);
  // The block editor writes its paragraphs itself, except those from the classic editor.
  return text.includes('<!-- wp:') ? classicBlocks(linked) : paragraphs(linked);
}

function classicBlocks(text: string): string {
  const [first = '', ...others] = text.split(FREEFORM.start);
  const parts = others.map((part) => {
    const end = part.indexOf(FREEFORM.end);
    return end < 0 ? part : paragraphs(part.slice(0, end)) + part.slice(end);
  });
  return [first, ...parts].join(FREEFORM.start);
}

function replaceShortcodes(text: string, onRemoved: (name: string) => void): string {
  const closed = new Set([...text.matchAll(/\[\/([A-Za-z][\w-]{0,60})\]/g)].map(([, name]) => name));
  return text.replace(SHORTCODE, (whole, slash: string, name: string, attributes: string, at: number) => {
    const isShortcode =
      BUILT_IN.has(name) ||
      closed.has(name) ||
      /[\w-]=["']|=\d/.test(attributes) ||
      name.includes('_') ||
      // Within a sentence, "[long-term]" is a word that an editor put into a quotation.
      (name.includes('-') && isAlone(text, at, at + whole.length));
    if (!isShortcode) return whole;
    if (name === 'caption' || name === 'wp_caption') return slash === '' ? '<figure>' : '</figure>';
    if (name === 'embed') return '\n\n';
    if (slash !== '') return '';
    const address = MEDIA.has(name) ? addressIn(attributes) : null;
    if (address !== null) return `\n\n${address}\n\n`;
    onRemoved(name);
    return '';
  });
}

/** Whether nothing else but tags is in the line. */
function isAlone(text: string, from: number, to: number): boolean {
  return (
    /(?:^|[\n>])[ \t]*$/.test(text.slice(Math.max(from - 100, 0), from)) &&
    /^[ \t]*(?:$|[\n<])/.test(text.slice(to, to + 100))
  );
}

/** The file of a player: `src`, or an attribute named by its type, such as `mp3`. */
function addressIn(attributes: string): string | null {
  const [, address] =
    /(?:^|\s)(?:src|mp3|m4a|ogg|wav|mp4|m4v|webm|ogv)\s*=\s*["']([^"']{1,2000})["']/.exec(attributes) ?? [];
  return address === undefined ? null : cleanUrl(address);
}

/** A line with an address alone is a player on the site: here it is a link. */
function linkAddresses(text: string): string {
  return text.replace(/^[ \t]*(https?:\/\/[^\s<>"'[\]]{1,2000})[ \t]*$/gm, (whole, written: string) => {
    const address = cleanUrl(written);
    if (address === null) return whole;
    const host = new URL(address).hostname.replace(/^www\./, '');
    return `<p><a href="${escapeHtml(address)}">See it at ${escapeHtml(host)}</a></p>`;
  });
}

/** Blank lines separate paragraphs, outside of `<pre>`. */
function paragraphs(text: string): string {
  let html = '';
  let from = 0;
  for (;;) {
    const pre = indexOfTag(text, '<pre', from);
    html += splitParagraphs(text.slice(from, pre));
    if (pre === text.length) return html;
    const end = indexOfTag(text, '</pre>', pre);
    from = Math.min(end + '</pre>'.length, text.length);
    html += text.slice(pre, from);
  }
}

/** @returns the length of the text if the tag does not occur */
function indexOfTag(text: string, tag: string, from: number): number {
  const lower = text.indexOf(tag, from);
  const upper = text.indexOf(tag.toUpperCase(), from);
  return Math.min(lower < 0 ? text.length : lower, upper < 0 ? text.length : upper);
}

function splitParagraphs(text: string): string {
  return text
    .replace(/<!--(?:more|nextpage)[^<>]{0,200}-->/g, '\n\n')
    .replace(
      BLOCK_TAG,
      (tag) => `${OPENS_OR_HOLDS_PARAGRAPHS.test(tag) ? '\n\n' : ''}${tag}${tag[1] === '/' ? '\n\n' : ''}`,
    )
    .split(/\n[ \t]*\n\s*/)
    .filter((part) => part.trim() !== '')
    .map((part) => (BLOCK.test(part) ? part : `<p>${breakLines(part.trim())}</p>`))
    .join('\n');
}

/** A line ends with `<br>`, except within a tag. */
function breakLines(text: string): string {
  return text.replace(/<[^<>]*>|\n/g, (found) => (found === '\n' ? '<br>\n' : found));
}
