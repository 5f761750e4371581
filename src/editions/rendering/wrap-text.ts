/**
 * Wraps plain text for mail programs that do not wrap lines (RFC 5322 §2.1.1 recommends at most 78 characters per
 * line).
 */

/**
 * Breaks lines wider than `columns` at spaces and between Chinese or Japanese characters, which take two columns each.
 * Never breaks URLs, or words without a break opportunity. Continuation lines keep the indentation of their line.
 * Mail programs that find links end an address at white space: a space separates it from what they would add to it.
 */
export function wrapText(text: string, columns: number): string {
  const wrapped = text.split('\n').map((line) => wrapLine(line, columns));
  return wrapped.join('\n').replace(ADDRESS, (address: string, offset: number, all: string) => {
    ADDED_TO_LINKS.lastIndex = offset + address.length;
    return ADDED_TO_LINKS.test(all) ? `${address} ` : address;
  });
}

const URL_CHARACTER = '[^\\s()<>"\\x80-\\u{10ffff}]';
// A URL, in brackets or not; the end of an email address; the placeholder of a personal link.
const ADDRESS = new RegExp(
  `(?<=\\()(?:https?:\\/\\/|mailto:)(?:${URL_CHARACTER}|\\([^\\s()]*\\)|\\()+|` +
    `(?:https?:\\/\\/|mailto:)(?:${URL_CHARACTER}|[()])+|@[\\w-]+(?:\\.[\\w-]+)+|%%\\w+:(?:unsubscribe|preferences)%%`,
  'gu',
);
// Not closing punctuation in ASCII, which mail programs leave out, nor letters that belong to an internationalised one.
const ADDED_TO_LINKS = new RegExp(
  '[)\\]>.,;:!?\'"]*(?:(?<=\\))[^\\s)\\]>.,;:!?\'"]|' +
    '(?![\\p{L}\\p{M}]*(?:\\w|[./-][\\p{L}\\w]))(?:[^\\x00-\\x7f\\s\\p{L}]|' +
    '[\\p{sc=Hani}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Hang}\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}]))',
  'uy',
);

/** Columns in a fixed-width font: two for East Asian wide characters and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width += character < '\u00ad' ? 1 : ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  }
  return width;
}

function wrapLine(line: string, columns: number): string {
  if (displayWidth(line) <= columns) return line;
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let current = '';
  let width = indent.length;
  // Each piece between break opportunities, with the white space before it.
  for (const [, gap = '', piece = ''] of line.slice(indent.length).matchAll(PIECE)) {
    const space = current === '' ? '' : gap;
    const wide = displayWidth(space + piece);
    if (current !== '' && width + wide > columns) {
      lines.push(indent + current);
      current = piece;
      width = indent.length + displayWidth(piece);
    } else {
      current += space + piece;
      width += wide;
    }
  }
  return [...lines, indent + current].join('\n');
}

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

// UAX #11, classes W and F, and the emoji planes.
const WIDE_SET =
  '\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60' +
  '\\uffe0-\\uffe6\\u{1f300}-\\u{1faff}\\u{20000}-\\u{3fffd}';
const WIDE = new RegExp(`^[${WIDE_SET}]$`, 'u');

// A subset of UAX #14: no break before closing punctuation or a combining mark, nor after opening punctuation. Four are
// looked at: the time of any number would be quadratic.
const CLOSING =
  '、。，．：；？！）］｝」』】〉》〕〗”’…—％ー々).,:;?!}>\\]\\u0300-\\u036f\\u3099\\u309a\\u200d\\ufe0f\\u{1f3fb}-\\u{1f3ff}';
const OPENING = '[（［｛「『【〈《〔〖“‘(<{\\[]{0,4}';
const URL_UNIT = "https?:\\/\\/[\\w.~:/?#@!$&'()*+,;=%\\[\\]-]";
// Korean has spaces between words.
const WIDE_UNIT = `(?!\\p{sc=Hang})[${WIDE_SET}]`;

// Most letters begin neither.
const OTHER = `(?:[a-gi-zA-Z\\d]|(?!${OPENING}(?:${URL_UNIT}|${WIDE_UNIT}))[^ ])`;

// A URL; or a wide character; or a run of other characters; with adjacent punctuation. No line breaks at U+00A0 or
// U+202F.
const PIECE = new RegExp(
  `([ \\u3000]*)(${OPENING}(?:${URL_UNIT}+|${WIDE_UNIT}|${OTHER}+)(?:\\u200d.|[${CLOSING}])*)`,
  'gu',
);
