/** The beginning of a body as text: a summary needs some words of a megabyte. */
import { cleanLine } from '../lib/text/clean-text.ts';

/**
 * The text of sanitised HTML, on one line: all of it, or at least its first `length` characters. Tags of blocks count
 * as spaces.
 * The time depends on the HTML that holds this text, not on the rest.
 */
export function beginningOfText(html: string, length: number): string {
  for (let taken = FIRST_PART; ; taken *= 4) {
    const isWhole = taken >= html.length;
    const part = isWhole ? html : html.slice(0, taken).replace(CUT_TAG, '');
    const text = cleanLine(part.replace(REFERENCE, '').replace(INLINE, '').replace(TAG, ' ').replace(ENTITY, decode));
    if (isWhole || text.length >= length + LONGEST_ENTITY) return text;
  }
}

/** Characters of HTML. The longest summary is 280 characters long. */
const FIRST_PART = 1_024;

/** To a footnote. */
const REFERENCE = /<sup>\[\d{1,4}\]<\/sup>/g;
const TAG = /<\/?[a-zA-Z](?:"[^"]*"|'[^']*'|[^'">])*>/g;
/** Elements within a line, of those that the sanitiser allows. */
const INLINE = /<\/?(?:a|em|strong|b|i|s|code|sub|sup)(?:\s(?:"[^"]*"|[^">])*)?>/g;
/** The sanitiser escapes every other `<` and `>`. */
const CUT_TAG = /<[^>]*$/;
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,5}));/g;
/** A part may end within an entity. */
const LONGEST_ENTITY = 10;
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

function decode(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return NAMED[name] ?? whole;
  const point = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
  return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
}
