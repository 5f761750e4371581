/**
 * The parts of a message (RFC 2046) with personal slots: what all copies share is encoded once, and a copy encodes only its own values.
 */
import { encodeText, encodeValue } from './quoted-printable.ts';

/** What a message is made of: strings of ASCII, and Buffers that copies share. */
export type EncodedPiece = string | Buffer;

/** A text with slots, encoded. */
export interface EncodedText {
  encoding: 'quoted-printable' | 'base64';
  /** What all copies begin with. */
  first: string;
  /** What follows, from the values of the slots on, in order. */
  rest(values: readonly string[]): EncodedPiece[];
}

/**
 * Encodes what stands around the slots: in quoted-printable, which stays readable for Latin scripts, or for others in base64, which is then
 * a third of its size. No line has more than 76 octets, or begins with a dot.
 * @param texts one more than there are slots; line ends of any kind become CR LF
 */
export function encodeAround(texts: readonly string[]): EncodedText {
  return isForeign(texts.join('')) ? base64Around(texts) : quotedPrintableAround(texts);
}

function isForeign(text: string): boolean {
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

// Three octets make four characters, so what follows a value is encoded in one of three ways, by the value's length: each is made when it is
// first needed. Octets that fill up a group of three with the value, or are left over before it, are encoded with the value.
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

// Octets that are encoded together, to four characters.
const GROUP = 3;
const BASE64_LINE = /.{1,76}/g;

interface Base64Piece {
  /** Nothing follows it. */
  last: boolean;
  /** Its first octets, as many as there are. */
  start(count: number): Buffer;
  /** All but its first octets, encoded, and those at its end that make no whole group with it. */
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

// Below it, putting a piece in with what is personal costs less than one more Buffer to hash and to write.
const SHARED_FROM = 2_048;

function share(encoded: string): EncodedPiece {
  return encoded.length < SHARED_FROM ? encoded : Buffer.from(encoded, 'latin1');
}

/** The pieces as Buffers: strings that stand together become one. */
export function joinPieces(pieces: readonly EncodedPiece[]): Buffer[] {
  const buffers: Buffer[] = [];
  let loose = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      loose += piece;
      continue;
    }
    if (loose !== '') buffers.push(Buffer.from(loose, 'latin1'));
    buffers.push(piece);
    loose = '';
  }
  if (loose !== '') buffers.push(Buffer.from(loose, 'latin1'));
  return buffers;
}
