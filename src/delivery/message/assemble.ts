/**
 * Assembles a message from its fields and body, and signs it.
 */
import type { OutgoingMessage } from '../transport/connection.ts';
import type { BodyCopy } from './body.ts';
import { type Signing, signHeaders } from './dkim.ts';
import type { HeaderField } from './header-field.ts';

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
