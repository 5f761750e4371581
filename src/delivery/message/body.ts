/**
 * A message's body: text and HTML as alternatives (RFC 2046 §5.1.4), prepared once for all copies.
 */
import { createHash, type Hash } from 'node:crypto';
import { oneLine, placeholderValue, type SplitText } from '../../editions/rendering/placeholders.ts';
import { escapeHtml } from '../../lib/html.ts';
import { type EncodedPiece, type EncodedText, encodeAround, joinPieces } from './transfer-encoding.ts';

export interface PreparedBody {
  contentType: string;
  /** One recipient's copy, in parts; those that are the same in all are the same Buffers. @throws Error where a slot has no value */
  copy(values: Readonly<Record<string, string>>): BodyCopy;
}

export interface BodyCopy {
  chunks: Buffer[];
  /** SHA-256 over all of it, base64: what RFC 6376 calls bh= under its `simple` canonicalisation (§3.4.3). */
  hash(): string;
}

/** @param name letters and digits: what tells the parts' boundary from that of any other message */
export function prepareBody(name: string, content: { text: SplitText; html: SplitText }): PreparedBody {
  // Neither quoted-printable nor base64 can hold `=_` (RFC 2045 §6.7).
  const boundary = `=_daywire_${name}`;
  const parts = [
    preparePart('text/plain', content.text, oneLine, `--${boundary}`),
    preparePart('text/html', content.html, escapeHtml, `\r\n--${boundary}`),
  ] as const;
  const head = Buffer.from(parts[0].first, 'latin1');
  const hashed = createHash('sha256').update(head);
  const middle = Buffer.from(parts[1].first, 'latin1');
  return {
    contentType: `multipart/alternative; boundary="${boundary}"`,
    copy(values) {
      const pieces = [...parts[0].rest(values), middle, ...parts[1].rest(values), `\r\n--${boundary}--\r\n`];
      const rest = joinPieces(pieces);
      return { chunks: [head, ...rest], hash: () => hashOf(hashed, rest) };
    },
  };
}

/** @param hashed what stands before: hashed once, and carried on from there */
function hashOf(hashed: Hash, rest: readonly Buffer[]): string {
  const hash = hashed.copy();
  for (const chunk of rest) hash.update(chunk);
  return hash.digest('base64');
}

interface PreparedPart {
  first: string;
  rest(values: Readonly<Record<string, string>>): EncodedPiece[];
}

function preparePart(
  type: string,
  { texts, placeholders }: SplitText,
  safely: (value: string) => string,
  opening: string,
): PreparedPart {
  const encoded: EncodedText = encodeAround(texts);
  return {
    first: `${opening}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoded.encoding}\r\n\r\n${encoded.first}`,
    rest: (values) => encoded.rest(placeholders.map((name) => safely(placeholderValue(values, name)))),
  };
}
