/**
 * Wraps plain text for mail programs that show it as it comes (RFC 5322 §2.1.1 asks for at most 78 characters a line).
 */

/**
 * Breaks every line that is wider than `columns`: at spaces, and between CJK characters, which take two columns each. A URL is never
 * broken, nor a word without a place to break. Lines that a break makes begin under the first word of the line they come from.
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

/** How many columns a fixed-width font gives the text: two for East Asian wide characters and emoji, none for combining marks. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

function wrapLine(line: string, columns: number): string {
  if (displayWidth(line) <= columns) return line;
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let current = '';
  let width = indent.length;
  for (const { gap, piece } of pieces(line.slice(indent.length))) {
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

/** The line cut at every place where it may break: a piece, and the white space before it. */
function pieces(line: string): { gap: string; piece: string }[] {
  return [...line.matchAll(PIECE)].map(([, gap = '', piece = '']) => ({ gap, piece }));
}

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

// UAX #11, classes W and F, and the emoji planes.
const WIDE_SET =
  '\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6\\u{1f300}-\\u{1faff}\\u{20000}-\\u{3fffd}';
const WIDE = new RegExp(`^[${WIDE_SET}]$`, 'u');

// UAX #14 in little: no break before closing punctuation, nor after opening punctuation, nor before a combining mark.
const CLOSING = '、。，．：；？！）］｝」』】〉》〕〗”’…—％ー々\\u0300-\\u036f\\u200d\\ufe0f\\u{1f3fb}-\\u{1f3ff}';
const OPENING = '（［｛「『【〈《〔〖“‘';
const URL_START = `[(<\\[${OPENING}]*https?:\\/\\/`;

// A URL, with the bracket before it, to the next space; or a wide character with the punctuation that clings to it; or a run of anything else.
const PIECE = new RegExp(
  `(\\s*)(${URL_START}\\S+|[${OPENING}]*[${WIDE_SET}](?:\\u200d.|[${CLOSING}])*|(?:(?!${URL_START}|[${WIDE_SET}])\\S)+[${CLOSING}]*)`,
  'gu',
);
