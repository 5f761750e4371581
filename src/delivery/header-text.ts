/**
 * Hostile text as header values: encoded words (RFC 2047) wherever the plain text could be read as anything else.
 */
import { encodeWord, quoteString } from 'nodemailer/lib/mime-funcs';
import { cleanLine } from '../articles/clean.ts';

// An encoded word may have 75 characters (RFC 2047 §2).
const WORD_LIMIT = 75;
// A line can only be folded at white space, and should keep to 78 octets (RFC 5322 §2.1.1).
const LONGEST_PLAIN_WORD = 60;

/** An unstructured value such as a subject: one line; `=?…?=` in it stays what it is. */
export function headerText(text: string): { prepared: true; foldLines: true; value: string } {
  const line = cleanLine(text);
  return { prepared: true, foldLines: true, value: isPlain(line) ? line : encoded(line) };
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
