/**
 * A test copy of an edition that is not closed, for an editor's mail program. It looks as subscribers will see it, but
 * its personal links lead to the page of newsletters, so that they change nothing.
 */
import { createHmac } from 'node:crypto';
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import type { ComposedEdition } from '../../editions/compose.ts';
import { splitAtPlaceholders } from '../../editions/rendering/placeholders.ts';
import type { OutgoingMessage } from '../transport/connection.ts';
import { assembleMessage } from './assemble.ts';
import { prepareBody } from './body.ts';
import type { Signer } from './dkim.ts';
import { headerField } from './header-field.ts';
import { dateField, editionFields, recipientOf, senderOf } from './message-fields.ts';
import { providerFields, signingFor } from './provider-fields.ts';

/**
 * @param copy.to a bare address
 * @param copy.at when it is submitted, epoch milliseconds: the slot may be yet to come
 * @throws Error if the address is invalid
 */
export function prepareTestCopy(
  composed: Pick<ComposedEdition, 'newsletter' | 'slot' | 'subject' | 'nonce' | 'html' | 'text'>,
  newsletter: NewsletterConfig,
  config: Pick<Config, 'publication' | 'delivery'>,
  signers: readonly Signer[],
  { to, at }: { to: string; at: number },
): Promise<OutgoingMessage> {
  const { nonce, slot } = composed;
  const sender = senderOf(newsletter.from, newsletter.replyTo);
  const recipient = recipientOf(to);
  // The nonce is random, so no two test copies have the same Message-ID.
  const name = createHmac('sha256', nonce).update(`test\n${recipient.address}`).digest('hex').slice(0, 40);
  const texts = { text: splitAtPlaceholders(composed.text, nonce), html: splitAtPlaceholders(composed.html, nonce) };
  const body = prepareBody(name, texts);
  const fields = [
    ...editionFields(`[Test] ${composed.subject}`, newsletter, sender, body.contentType),
    dateField(at),
    recipient.field,
    headerField('Message-ID', `<${name}@${sender.domain}>`),
    ...providerFields(config.delivery, { kind: 'edition', token: null, feedback: null }),
  ];
  const newslettersPage = new URL(`${config.publication.url}/newsletters`).href;
  return assembleMessage(
    { newsletter: composed.newsletter, slot: `${slot}-test`, from: sender.address, to: recipient.address },
    fields,
    body.copy({ unsubscribe: newslettersPage, preferences: newslettersPage }),
    signingFor(config.delivery.provider, signers, sender.domain, at),
  );
}
