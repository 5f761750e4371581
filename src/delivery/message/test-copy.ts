/**
 * A test copy of an edition that is not closed, for an editor's mail program. It looks as subscribers will see it, but
 * its personal links lead to the page of newsletters, so that they change nothing.
 */
import { createHmac } from 'node:crypto';
import type { AppContext } from '../../core/app-context.ts';
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import type { Signer } from '../../core/keys.ts';
import { type InTransaction, inTransaction } from '../../core/store/store.ts';
import type { ComposedEdition, CompositionOptions } from '../../editions/compose.ts';
import { composeDraft, type EmptyComposition } from '../../editions/draft/compose-draft.ts';
import type { DraftTarget } from '../../editions/draft/draft-target.ts';
import { splitAtPlaceholders } from '../../editions/rendering/placeholders.ts';
import { parseAddress } from '../../lib/address.ts';
import type { OutgoingMessage } from '../transport/connection.ts';
import { openTransport } from '../transport/open-transport.ts';
import { assembleMessage, prepareBody } from './body.ts';
import { loadSigners } from './dkim.ts';
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

interface SubmittedCopy {
  kind: 'submitted';
  /** Reply of the mail server. */
  reply: string;
}

/**
 * Mails a marked copy of a draft's edition to one address, also with fewer stories than the newsletter's minimum.
 * @throws TransportError where the server rejects it; Error for an invalid address
 */
export async function sendTestCopy(
  app: AppContext,
  target: DraftTarget,
  {
    to,
    render,
    onSubmit,
  }: {
    to: string;
    /** Called in a transaction of its own, right before the copy is submitted: the server's answer may be lost. */
    onSubmit?: InTransaction | undefined;
  } & Pick<CompositionOptions, 'render'>,
): Promise<SubmittedCopy | EmptyComposition> {
  const { config, store } = app;
  const address = parseAddress(to);
  if (address.kind === 'invalid') throw new Error(`${to}: ${address.reason}`);
  const outcome = await composeDraft(app, target, { render });
  if (outcome.kind === 'empty') return outcome;
  const at = app.clock();
  const signers = loadSigners(config);
  const message = await prepareTestCopy(outcome.composed, target.newsletter, config, signers, {
    to: address.email,
    at,
  });
  const connection = await openTransport(config).connect();
  try {
    if (onSubmit !== undefined) await inTransaction(store.db, onSubmit);
    return { kind: 'submitted', reply: await connection.submit(message) };
  } finally {
    connection.close();
  }
}
