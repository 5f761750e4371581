/** Encodes the body of a message: text and HTML as alternatives (RFC 2046 §5.1.4), prepared once for all copies. */
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

/** @param name letters and digits that make the boundary of the parts unique */
export function prepareBody(name: string, content: { text: SplitText; html: SplitText }): PreparedBody {
  // Neither quoted-printable nor base64 can contain `=_` (RFC 2045 §6.7).
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
      const rest = toBuffers(pieces);
      return { chunks: [head, ...rest], hash: () => hashOf(hashed, rest) };
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
  { texts, placeholders }: SplitText,
  escapeValue: (value: string) => string,
  opening: string,
): { first: string; rest(values: Readonly<Record<string, string>>): EncodedPiece[] } {
  const encoded: EncodedText = encodeAround(texts);
  const fields = [`Content-Type: ${type}; charset=utf-8`, `Content-Transfer-Encoding: ${encoded.encoding}`];
  return {
    first: `${[opening, ...fields].join('\r\n')}\r\n\r\n${encoded.first}`,
    rest: (values) => encoded.rest(placeholders.map((name) => escapeValue(placeholderValue(values, name)))),
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
