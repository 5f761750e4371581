/** The body of an article as its own page shows it. All input is sanitised HTML, and stays well-formed. Pure. */
import type { Locale } from '../../lib/locale/locale.ts';
import { escapeHtml } from '../../lib/text/html.ts';

/** Links footnotes and their places, marks pictures that may be wider than the text, and aligns columns of numbers. */
export function pageBody(html: string, locale: Locale): string {
  const marked = html.replace(FIGURE, markWide).replace(TABLE, alignNumbers);
  // Scrollable elements need a tab stop: Safari does not make them focusable.
  return linkNotes(marked.replace(/<(table|pre)>/g, '<$1 tabindex="0">'), locale);
}

/** Whether a picture, in pixels, may be wider than the text. A tall one would fill the screen. */
export function isWide({ width, height }: { width: number | null; height: number | null }): boolean {
  return width !== null && height !== null && width >= 1_200 && width >= height * 1.2;
}

const FIGURE = /<figure>(?=\s*(?:<a [^>]*>\s*)?<img [^>]* width="(\d+)" height="(\d+)")/g;

const markWide = (figure: string, width: string, height: string): string =>
  isWide({ width: Number(width), height: Number(height) }) ? '<figure class="wide">' : figure;

const TABLE = /<table>.*?<\/table>/gs;
const ROW = /<tr>.*?<\/tr>/gs;
const CELL = /<(t[dh])>(.*?)<\/t[dh]>/gs;
/** Digits with signs, separators, units of one character, and tags. */
const NUMBER = /^(?:<[^>]*>|[\d\s.,:'’+−–—±%‰/-]|\p{Sc})*$/u;

/** Marks the columns that hold numbers alone, except the first: it names the rows. */
function alignNumbers(table: string): string {
  if (/ (?:col|row)span="/.test(table)) return table;
  const texts = new Set([0]);
  for (const [row] of table.matchAll(ROW)) {
    for (const [column, [, tag, content = '']] of [...row.matchAll(CELL)].entries()) {
      if (tag === 'td' && !NUMBER.test(content)) texts.add(column);
    }
  }
  return table.replace(ROW, (row) => {
    let column = 0;
    return row.replace(/<t[dh]>/g, (tag) => (texts.has(column++) ? tag : tag.replace('>', ' class="number">')));
  });
}

const NOTES = /<hr \/>\s*<ol>((?:(?!<[ou]l>).)*)<\/ol>$/s;
const REFERENCE = /<sup>\[([1-9]\d{0,3})\]<\/sup>/g;

/**
 * Footnotes are stored as a list after the last rule, and references to them as `<sup>[1]</sup>`. They are linked
 * whether Markdown made them or not.
 */
function linkNotes(html: string, locale: Locale): string {
  const notes = NOTES.exec(html);
  if (notes === null) return html;
  const references = new Set<number>();
  const text = html.slice(0, notes.index).replace(REFERENCE, (whole, number: string) => {
    const id = references.has(Number(number)) ? '' : ` id="ref-${number}"`;
    references.add(Number(number));
    return `<sup><a${id} href="#note-${number}" role="doc-noteref">${whole.slice(5, -6)}</a></sup>`;
  });
  const label = escapeHtml(locale.text('article.backToText'));
  let count = 0;
  const items = (notes[1] as string).replace(/<li>|(?:<\/p>\s*)?<\/li>/g, (edge) => {
    if (edge === '<li>') return `<li id="note-${++count}">`;
    return ` <a href="#ref-${count}" role="doc-backlink" aria-label="${label}">↩\ufe0e</a>${edge}`;
  });
  if (references.size !== count || Math.max(...references) !== count) return html;
  return `${text}<section class="notes" role="doc-endnotes"><ol>${items}</ol></section>`;
}
