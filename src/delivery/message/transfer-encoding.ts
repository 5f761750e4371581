/**
 * Content-Transfer-Encoding (RFC 2045 §6) of texts with placeholders: the shared text is encoded once, and each copy
 * encodes only its values.
 */
import { encodeText, encodeValue } from './quoted-printable.ts';

/** A part of an encoded text: a string of ASCII, or a Buffer that copies share. */
export type EncodedPiece = string | Buffer;

/** An encoded text with placeholders. */
export interface EncodedText {
  encoding: 'quoted-printable' | 'base64';
  /** The beginning, which all copies share. */
  first: string;
  /** Everything after it, with the values of the placeholders in order. */
  rest(values: readonly string[]): EncodedPiece[];
}

/**
 * Encodes the texts around placeholders: in quoted-printable, which is readable for Latin scripts, or for others in
 * base64, which is then a third of its size. No line has more than 76 octets or begins with a dot.
 * @param texts one more than there are placeholders; line ends of any kind become CR LF
 */
export function encodeAround(texts: readonly string[]): EncodedText {
  return isMostlyNonLatin(texts.join('')) ? base64Around(texts) : quotedPrintableAround(texts);
}

function isMostlyNonLatin(text: string): boolean {
  return (text.match(/[^\u0000-\u007f]/g)?.length ?? 0) * 8 > text.length;
}

function quotedPrintableAround(texts: readonly string[]): EncodedText {
  const pieces = texts.map((text, index) => encodeText(text, index === texts.length - 1 ? 'closed' : 'open'));
  const [first = '', ...others] = pieces;
  const shared = others.map(share);
  return {
    encoding: 'quoted-printable',
    first,
    rest: (values) => shared.flatMap((piece, index) => [encodeValue(values[index] as string), piece]),
  };
}

// Three octets make four characters, so a text after a value has one of three encodings, depending on the value's
// length. Each is computed when it is first needed. The octets next to a value that share a group of three with it are
// encoded with the value.
function base64Around(texts: readonly string[]): EncodedText {
  const pieces = texts.map((text, index) => base64Piece(text, index === texts.length - 1));
  const [opening, ...others] = pieces as [Base64Piece, ...Base64Piece[]];
  const { encoded: first, left } = opening.from(0);
  return {
    encoding: 'base64',
    first: first.toString(),
    rest: (values) => {
      let carried = left;
      return others.flatMap((piece, index) => {
        const begun = Buffer.concat([carried, Buffer.from(values[index] as string)]);
        const missing = (GROUP - (begun.length % GROUP)) % GROUP;
        const whole = Buffer.concat([begun, piece.start(missing)]);
        if (whole.length % GROUP !== 0 && !piece.last) {
          carried = whole;
          return [];
        }
        const { encoded, left } = piece.from(missing);
        carried = left;
        return [base64Lines(whole), encoded];
      });
    },
  };
}

// Octets that are encoded together, as four characters.
const GROUP = 3;
const BASE64_LINE = /.{1,76}/g;

interface Base64Piece {
  /** Whether it is the last one. */
  last: boolean;
  /** Its first octets, up to `count`. */
  start(count: number): Buffer;
  /** Everything after its first `count` octets: whole groups, encoded, and the octets left over. */
  from(count: number): { encoded: EncodedPiece; left: Buffer };
}

function base64Piece(text: string, last: boolean): Base64Piece {
  const octets = Buffer.from(text.replace(/\r\n?|\n/g, '\r\n'));
  const encode = (start: number) => {
    const end = last ? octets.length : Math.max(start, octets.length - ((octets.length - start) % GROUP));
    return { encoded: share(base64Lines(octets.subarray(start, end))), left: octets.subarray(end) };
  };
  const kept: ReturnType<typeof encode>[] = [];
  return {
    last,
    start: (count) => octets.subarray(0, count),
    from(count) {
      kept[count] ??= encode(count);
      return kept[count];
    },
  };
}

function base64Lines(octets: Buffer): string {
  const lines = octets.toString('base64').match(BASE64_LINE) ?? [];
  return lines.map((line) => `${line}\r\n`).join('');
}

// Copying a shorter piece costs less than hashing and writing another Buffer.
const MIN_SHARED_LENGTH = 2_048;

function share(encoded: string): EncodedPiece {
  return encoded.length < MIN_SHARED_LENGTH ? encoded : Buffer.from(encoded, 'latin1');
}

/** Converts the pieces to Buffers: adjacent strings become one. */
export function toBuffers(pieces: readonly EncodedPiece[]): Buffer[] {
  const buffers: Buffer[] = [];
  let pending = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      pending += piece;
      continue;
    }
    if (pending !== '') buffers.push(Buffer.from(pending, 'latin1'));
    buffers.push(piece);
    pending = '';
  }
  if (pending !== '') buffers.push(Buffer.from(pending, 'latin1'));
  return buffers;
}
