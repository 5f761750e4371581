/**
 * Header fields (RFC 5322), and hostile text in them: encoded words (RFC 2047) wherever the plain text could be read as anything else.
 */
import { encodeWord, quoteString } from 'nodemailer/lib/mime-funcs';
import { cleanLine } from '../../lib/clean-text.ts';

/** One field, or several that stand together. */
export interface HeaderField {
  /** Names of several, with colons between them. */
  name: string;
  /** As it is sent: folded, with CR LF at its end. */
  text: string;
  /** As it is signed: RFC 6376 §3.4.2, `relaxed`, without the CR LF at its end. */
  canonical: string;
}

/** Fields that stand together, as one. */
export function joinFields(fields: readonly HeaderField[]): HeaderField {
  return {
    name: fields.map(({ name }) => name).join(':'),
    text: fields.map(({ text }) => text).join(''),
    canonical: fields.map(({ canonical }) => canonical).join('\r\n'),
  };
}

/**
 * A field, folded where its value has a space (RFC 5322 §2.2.3).
 * @param value printable ASCII; hostile text is made that by `headerText` or `headerPhrase`
 * @throws Error where it holds anything else: it could add a field, or end the header
 */
export function headerField(name: string, value: string): HeaderField {
  if (!/^[\u0020-\u007e]*$/.test(value)) throw new Error(`${name} cannot hold ${JSON.stringify(value)}`);
  return { name, text: `${foldLine(`${name}: ${value}`)}\r\n`, canonical: relaxed(name, value) };
}

/** A field as RFC 6376 §3.4.2 signs it. @param value not folded */
export function relaxed(name: string, value: string): string {
  return `${name.toLowerCase()}:${value.replace(/ {2,}/g, ' ').trim()}`;
}

// RFC 2047 §2 for lines with an encoded word; RFC 5322 §2.1.1 would have 78.
export const LINE_LIMIT = 76;

/** Breaks a line before spaces, where it can be broken, so that no part of it is longer than it should be. */
export function foldLine(line: string): string {
  if (line.length <= LINE_LIMIT) return line;
  const [first = '', ...words] = line.split(/ +/);
  const lines: string[] = [];
  let current = first;
  for (const word of words) {
    // A field whose first line is empty is legal, and too much for some readers.
    if (current.length + 1 + word.length > LINE_LIMIT && current !== first) {
      lines.push(current);
      current = ` ${word}`;
    } else {
      current += ` ${word}`;
    }
  }
  return [...lines, current].join('\r\n');
}

// An encoded word, so that the first one has room on its line behind the field's name.
const WORD_LIMIT = 66;
// A line can only be folded at white space.
const LONGEST_PLAIN_WORD = 60;

/** The value of an unstructured field such as a subject: one line; `=?…?=` in it stays what it is. */
export function headerText(text: string): string {
  const line = cleanLine(text);
  return isPlain(line) ? line : encoded(line);
}

/** A phrase, such as stands before an address in angle brackets. */
export function headerPhrase(text: string): string {
  const line = cleanLine(text);
  return isPlain(line) ? quoteString(line) : encoded(line);
}

function isPlain(line: string): boolean {
  return (
    /^[\u0020-\u007e]*$/.test(line) &&
    !line.includes('=?') &&
    line.split(' ').every((word) => word.length <= LONGEST_PLAIN_WORD)
  );
}

function encoded(line: string): string {
  const latin = line.replace(/[^\u0020-\u007e]/g, '').length;
  return encodeWord(line, latin * 2 > line.length ? 'Q' : 'B', WORD_LIMIT);
}
