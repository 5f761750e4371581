/** Header fields (RFC 5322). Untrusted text in them becomes encoded words (RFC 2047) if it could be misread. */
import { encodeWord, quoteString } from 'nodemailer/lib/mime-funcs';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { graphemesOf } from '../../lib/text/shorten.ts';

/** One field, or several that follow each other. */
export interface HeaderField {
  /** Several names are separated by colons. */
  name: string;
  /** As it is transmitted: folded, with CR LF at its end. */
  text: string;
  /** As it is signed: RFC 6376 §3.4.2, `relaxed`, without the CR LF at its end. */
  canonical: string;
}

/** Joins fields that follow each other into one. */
export function joinFields(fields: readonly HeaderField[]): HeaderField {
  return {
    name: fields.map(({ name }) => name).join(':'),
    text: fields.map(({ text }) => text).join(''),
    canonical: fields.map(({ canonical }) => canonical).join('\r\n'),
  };
}

/**
 * Makes a field, folded at the spaces of its value (RFC 5322 §2.2.3).
 * @param value printable ASCII; pass untrusted text through `headerText` or `headerPhrase`
 * @throws Error if the value contains anything else, which could add a field or end the header
 */
export function headerField(name: string, value: string): HeaderField {
  if (!/^[\u0020-\u007e]*$/.test(value)) throw new Error(`${name} cannot contain ${JSON.stringify(value)}`);
  return { name, text: `${foldLine(`${name}: ${value}`)}\r\n`, canonical: relaxed(name, value) };
}

/** A field in the `relaxed` form of RFC 6376 §3.4.2. @param value not folded */
export function relaxed(name: string, value: string): string {
  return `${name.toLowerCase()}:${value.replace(/ {2,}/g, ' ').trim()}`;
}

// RFC 2047 §2 for lines with an encoded word; RFC 5322 §2.1.1 would allow 78.
export const LINE_LIMIT = 76;

/** Breaks a line before spaces so that its parts do not exceed `LINE_LIMIT`, as far as there are spaces. */
export function foldLine(line: string): string {
  if (line.length <= LINE_LIMIT) return line;
  const [first = '', ...words] = line.split(/ +/);
  const lines: string[] = [];
  let current = first;
  for (const word of words) {
    // An empty first line is legal, but some mail programs cannot read it.
    if (current.length + 1 + word.length > LINE_LIMIT && current !== first) {
      lines.push(current);
      current = ` ${word}`;
    } else {
      current += ` ${word}`;
    }
  }
  return [...lines, current].join('\r\n');
}

// Short enough for the first word to fit on the line of the name. A family of emoji fits in base64, but not in Q.
const ENCODED_WORD_LIMIT = 66;
// A line can be folded only at white space.
const PLAIN_WORD_LIMIT = 60;

/**
 * The value of an unstructured field such as a subject: one line. `=?…?=` in the text is not decoded by mail programs.
 */
export function headerText(text: string): string {
  const line = cleanLine(text);
  return isPlain(line) ? line : encoded(line);
}

/** A phrase, such as the name before an address in angle brackets. */
export function headerPhrase(text: string): string {
  const line = cleanLine(text);
  return isPlain(line) ? quoteString(line) : encoded(line);
}

function isPlain(line: string): boolean {
  return (
    /^[\u0020-\u007e]*$/.test(line) &&
    !line.includes('=?') &&
    line.split(' ').every((word) => word.length <= PLAIN_WORD_LIMIT)
  );
}

function encoded(line: string): string {
  const latin = line.replace(/[^\u0020-\u007e]/g, '').length;
  const graphemes = graphemesOf(line);
  const isShort = latin * 2 > line.length && graphemes.every((grapheme) => Buffer.byteLength(grapheme) < 19);
  const encode = (text: string): string => encodeWord(text, isShort ? 'Q' : 'B');
  const fits = (text: string): boolean => encode(text).length <= ENCODED_WORD_LIMIT;
  const units = graphemes.flatMap((grapheme) => (fits(grapheme) ? [grapheme] : [...grapheme]));
  const words = [''];
  for (const unit of units) words.push(...(fits(words.at(-1) + unit) ? [words.pop() + unit] : [unit]));
  return words.map(encode).join(' ');
}
