/**
 * A marked copy of an edition that is not closed, for an editor to look at in a mail program. It looks as readers will see it, but its
 * personal links lead to the newsletters' page, so that nothing can be changed with it.
 */
import { createHmac } from 'node:crypto';
import type { Config, NewsletterConfig } from '../../config/config.ts';
import type { ComposedEdition } from '../../editions/compose.ts';
import { splitAtPlaceholders } from '../../editions/rendering/placeholders.ts';
import type { OutgoingMessage } from '../transport/connection.ts';
import { assembleMessage } from './assemble.ts';
import { prepareBody } from './body.ts';
import { type Signer, signersOf } from './dkim.ts';
import { editionFields } from './edition-fields.ts';
import { headerField } from './header-field.ts';
import { dateField, recipientOf, senderOf } from './sender.ts';

/**
 * @param to a bare address
 * @throws Error where the address is none
 */
export function prepareTestCopy(
  composed: Pick<ComposedEdition, 'newsletter' | 'slot' | 'subject' | 'nonce' | 'html' | 'text' | 'cutoffAt'>,
  newsletter: NewsletterConfig,
  config: Pick<Config, 'publication'>,
  signers: readonly Signer[],
  to: string,
): Promise<OutgoingMessage> {
  const { nonce, slot, cutoffAt } = composed;
  const sender = senderOf(newsletter.from, newsletter.replyTo);
  const recipient = recipientOf(to);
  // Each composing draws a nonce of its own, so no two test copies are taken for one message.
  const name = createHmac('sha256', nonce).update(`test\n${recipient.address}`).digest('hex').slice(0, 40);
  const texts = { text: splitAtPlaceholders(composed.text, nonce), html: splitAtPlaceholders(composed.html, nonce) };
  const body = prepareBody(name, texts);
  const fields = [
    ...editionFields(`[Test] ${composed.subject}`, newsletter, sender, body.contentType),
    dateField(cutoffAt),
    recipient.field,
    headerField('Message-ID', `<${name}@${sender.domain}>`),
  ];
  const harmless = new URL(`${config.publication.url}/newsletters`).href;
  return assembleMessage(
    { newsletter: composed.newsletter, slot: `${slot}-test`, from: sender.address, to: recipient.address },
    fields,
    body.copy({ unsubscribe: harmless, preferences: harmless }),
    { signers: signersOf(signers, sender.domain), signedAt: cutoffAt },
  );
}
