/** Encodes the body of a message: text and HTML as alternatives (RFC 2046 §5.1.4), prepared once for all recipients. */
import { createHash, type Hash } from 'node:crypto';
import { oneLine, placeholderValue, type SplitText } from '../../editions/rendering/placeholders.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import type { OutgoingMessage } from '../transport/connection.ts';
import { type Signing, signHeaders } from './dkim.ts';
import type { HeaderField } from './header-field.ts';
import { type EncodedPiece, type EncodedText, encodeAround, toBuffers } from './transfer-encoding.ts';

export interface PreparedBody {
  contentType: string;
  /**
   * The copy of one recipient. Copies share the Buffers that do not differ.
   * @throws Error if a placeholder has no value
   */
  copy(values: Readonly<Record<string, string>>): BodyCopy;
}

export interface BodyCopy {
  chunks: Buffer[];
  /** SHA-256 of the body, base64: the tag bh= of RFC 6376 with `simple` canonicalisation (§3.4.3). */
  hash(): string;
}

/** An encoded part of the body, and the names of its placeholders in order. */
export type EncodedPart = EncodedText & Pick<SplitText, 'placeholders'>;

/** How a value is written into each part. */
export const ESCAPES = { text: oneLine, html: escapeHtml } as const;

/** @param name letters and digits that make the boundary of the parts unique */
export function prepareBody(name: string, { text, html }: { text: SplitText; html: SplitText }): PreparedBody {
  const encode = (part: SplitText): EncodedPart => ({ ...part, ...encodeAround(part.texts) });
  return prepareEncoded(name, { text: encode(text), html: encode(html) });
}

/** @param name as for `prepareBody` */
export function prepareEncoded(name: string, content: { text: EncodedPart; html: EncodedPart }): PreparedBody {
  // Neither quoted-printable nor base64 can contain `=_` (RFC 2045 §6.7).
  const boundary = `=_daywire_${name}`;
  const text = preparePart('text/plain', content.text, ESCAPES.text, `--${boundary}`);
  const html = preparePart('text/html', content.html, ESCAPES.html, `\r\n--${boundary}`);
  const head = toBuffers(text.first);
  const hashed = createHash('sha256');
  for (const chunk of head) hashed.update(chunk);
  return {
    contentType: `multipart/alternative; boundary="${boundary}"`,
    copy(values) {
      const pieces = [...text.rest(values), ...html.first, ...html.rest(values), `\r\n--${boundary}--\r\n`];
      const rest = toBuffers(pieces);
      return { chunks: [...head, ...rest], hash: () => hashOf(hashed, rest) };
    },
  };
}

/** @param hashed the hash of the head, which all copies share */
function hashOf(hashed: Hash, rest: readonly Buffer[]): string {
  const hash = hashed.copy();
  for (const chunk of rest) hash.update(chunk);
  return hash.digest('base64');
}

function preparePart(
  type: string,
  { encoding, first, rest, placeholders }: EncodedPart,
  escapeValue: (value: string) => string,
  opening: string,
): { first: EncodedPiece[]; rest(values: Readonly<Record<string, string>>): EncodedPiece[] } {
  const fields = [`Content-Type: ${type}; charset=utf-8`, `Content-Transfer-Encoding: ${encoding}`];
  return {
    first: [`${[opening, ...fields].join('\r\n')}\r\n\r\n`, ...first],
    rest: (values) => rest(placeholders.map((name) => escapeValue(placeholderValue(values, name)))),
  };
}

/** Assembles a message from its fields and body, and signs it. */
export async function assembleMessage(
  envelope: Pick<OutgoingMessage, 'newsletter' | 'slot' | 'from' | 'to'>,
  fields: readonly HeaderField[],
  body: BodyCopy,
  signing: Signing,
): Promise<OutgoingMessage> {
  const signatures = signing.signers.length === 0 ? '' : await signHeaders(fields, body.hash(), signing);
  let header = signatures;
  for (const { text } of fields) header += text;
  header += '\r\n';
  const chunks = [Buffer.from(header, 'latin1'), ...body.chunks];
  return { ...envelope, chunks, size: chunks.reduce((sum, chunk) => sum + chunk.length, 0) };
}
