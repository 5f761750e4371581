/**
 * Content-Transfer-Encoding (RFC 2045 §6) of texts with placeholders. In quoted-printable, the shared text is encoded
 * once, and each copy encodes only its values.
 */

/** A part of an encoded text: a string, or a Buffer that copies share. */
export type EncodedPiece = string | Buffer;

/** An encoded text with placeholders. */
export interface EncodedText {
  encoding: 'quoted-printable' | 'base64';
  /** The beginning, which all copies share. */
  first: EncodedPiece[];
  /** Everything after it, with the values of the placeholders in order. */
  rest(values: readonly string[]): EncodedPiece[];
}

/**
 * Encodes the texts around placeholders: in quoted-printable, which is readable for Latin scripts, or for others in
 * base64, which is then a third of its size. No line has more than 76 octets or begins with a dot.
 * @param texts one more than there are placeholders; line ends of any kind become CR LF
 */
export function encodeAround(texts: readonly string[]): EncodedText {
  const encoding = encodingOf(texts.join(''));
  return encoding.around(texts.map((text, n) => [encoding.text(text, n === texts.length - 1 ? 'closed' : 'open')]));
}

/** Encodes pieces of a text, which can be joined in any order. */
export interface PieceEncoding {
  /** @param end `open` if more follows on its last line */
  text(text: string, end: 'open' | 'closed'): EncodedPiece;
  value(value: string): string;
  /** Makes the pieces of a run few. */
  merge(pieces: readonly EncodedPiece[]): EncodedPiece[];
  /** @param runs encoded; one more than there are placeholders */
  around(runs: EncodedPiece[][]): EncodedText;
}

export function encodingOf(text: string): PieceEncoding {
  return isMostlyNonLatin(text) ? BASE64 : QUOTED_PRINTABLE;
}

function isMostlyNonLatin(text: string): boolean {
  return (text.match(/[^\u0000-\u007f]/g)?.length ?? 0) * 8 > text.length;
}

const QUOTED_PRINTABLE: PieceEncoding = {
  text: (text, end) => share(Buffer.from(encodeText(text, end), 'latin1')),
  value: encodeValue,
  merge: toBuffers,
  around: ([first = [], ...shared]) => ({
    encoding: 'quoted-printable',
    first,
    rest: (values) => shared.flatMap((run, index) => [encodeValue(values[index] as string), ...run]),
  }),
};

/** A value moves the groups of three octets after it, so each copy is encoded as a whole. */
const BASE64: PieceEncoding = {
  text: (text) => text.replace(/\r\n?|\n/g, '\r\n'),
  value: (value) => value,
  merge: (pieces) => [pieces.join('')],
  around: (runs) => ({
    encoding: 'base64',
    first: [],
    rest: (values) => [base64Lines(Buffer.from(runs.map((run, n) => run.join('') + (values[n] ?? '')).join('')))],
  }),
};

const BASE64_LINE = /.{1,76}/g;

function base64Lines(octets: Buffer): string {
  const lines = octets.toString('base64').match(BASE64_LINE) ?? [];
  return lines.map((line) => `${line}\r\n`).join('');
}

// Copying a shorter piece costs less than hashing and writing another Buffer.
const MIN_SHARED_LENGTH = 1_024;

function share(encoded: Buffer): EncodedPiece {
  return encoded.length < MIN_SHARED_LENGTH ? encoded.toString('latin1') : encoded;
}

/**
 * Converts the pieces to Buffers: adjacent strings become one. All strings share one allocation, since the garbage of a
 * message costs more time than its making.
 */
export function toBuffers(pieces: readonly EncodedPiece[]): Buffer[] {
  let length = 0;
  for (const piece of pieces) if (typeof piece === 'string') length += piece.length;
  const own = Buffer.allocUnsafe(length);
  const buffers: Buffer[] = [];
  let start = 0;
  let end = 0;
  const flush = (): void => {
    if (end > start) buffers.push(own.subarray(start, end));
    start = end;
  };
  for (const piece of pieces) {
    if (typeof piece === 'string') end += own.write(piece, end, 'latin1');
    else {
      flush();
      buffers.push(piece);
    }
  }
  flush();
  return buffers;
}

// Quoted-printable (RFC 2045 §6.7) for text in pieces. Each piece begins on a new line, so its encoding does not depend
// on the piece before it. No line begins with a dot, which SMTP would double (RFC 5321 §4.5.2), or with `From `, before
// which mailboxes insert a `>`: either would break a signature.

// Octets in a line, including the `=` of a soft line break.
const LINE_LIMIT = 76;

/**
 * Encodes text of several lines.
 * @param end `open` if more follows on its last line: then it ends with a soft line break
 */
function encodeText(text: string, end: 'open' | 'closed'): string {
  const lines = text.split(/\r\n?|\n/);
  const last = lines.pop() ?? '';
  return (
    lines.map((line) => `${encodeLine(line)}\r\n`).join('') + (end === 'open' ? encodeValue(last) : encodeLine(last))
  );
}

/** Encodes a value within a line, with its line breaks. Ends with a soft line break unless it is empty. */
function encodeValue(value: string): string {
  if (value === '') return '';
  const { lines, rest } = fold(escapeOctets(value));
  return `${lines}${rest}=\r\n`;
}

function encodeLine(line: string): string {
  // White space at the end of a line may get lost in transport.
  const { lines, rest } = fold(escapeOctets(line).replace(/[\t ]$/, escapeOctet));
  return lines + rest;
}

/** Splits a line so that each part has space for the `=` of a soft line break. */
function fold(escaped: string): { lines: string; rest: string } {
  let lines = '';
  let rest = guardStart(escaped);
  while (rest.length >= LINE_LIMIT) {
    // Not within an escape such as `=C3`.
    const start = rest.indexOf('=', LINE_LIMIT - 3);
    const cut = start >= 0 && start < LINE_LIMIT - 1 ? start : LINE_LIMIT - 1;
    lines += `${rest.slice(0, cut)}=\r\n`;
    rest = guardStart(rest.slice(cut));
  }
  return { lines, rest };
}

function guardStart(line: string): string {
  return line.startsWith('.') || line.startsWith('From ') ? escapeOctet(line) + line.slice(1) : line;
}

function escapeOctets(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\t\u0020-\u003c\u003e-\u007e]/g, escapeOctet);
}

/** Escapes the first octet of a string of octets. */
function escapeOctet(octets: string): string {
  return ESCAPES[octets.charCodeAt(0)] as string;
}

const ESCAPES = Array.from({ length: 256 }, (_, octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`);
