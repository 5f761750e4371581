/**
 * An edition as one subscriber's email (RFC 5322): what all copies share is prepared once, what is personal is filled in.
 * The same delivery always makes the same bytes, so that a second try can be recognised by its Message-ID.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Config, NewsletterConfig } from '../../config/config.ts';
import type { SigningSecrets } from '../../config/signing-secrets.ts';
import type { Edition } from '../../editions/queries.ts';
import { splitAtPlaceholders } from '../../editions/rendering/placeholders.ts';
import { HOUR } from '../../lib/time.ts';
import { wireAddress } from '../../subscribers/address.ts';
import { mailboxToken, preferencesToken, unsubscribeToken } from '../../subscribers/tokens.ts';
import type { OutgoingMessage } from '../transport/connection.ts';
import { assembleMessage } from './assemble.ts';
import { prepareBody } from './body.ts';
import { type Signer, signersOf } from './dkim.ts';
import { editionFields } from './edition-fields.ts';
import { type HeaderField, headerField, joinFields } from './header-field.ts';
import { dateField, recipientOf, senderOf, taggedAddress } from './sender.ts';

interface Recipient {
  subscriberId: number;
  /** As given by the subscriber. */
  email: string;
  /** From when on the delivery is too old, epoch milliseconds; null where it never is. */
  expiresAt: number | null;
}

/**
 * Makes the copy of one recipient.
 * @throws Error where none can be made: the edition lacks its unsubscribe link, or the address is none
 */
export type MessageMaker = (recipient: Recipient) => Promise<OutgoingMessage>;

/**
 * Prepares an edition for mailing, when its first copy is made.
 * @param secrets they sign the links and return paths
 * @param signers of all domains; those of the sender's sign
 */
export function prepareMessages(
  edition: Pick<Edition, 'id' | 'newsletter' | 'slot' | 'subject' | 'nonce' | 'html' | 'text' | 'closedAt'>,
  newsletter: NewsletterConfig,
  config: Pick<Config, 'publication' | 'bounces'>,
  secrets: SigningSecrets,
  signers: readonly Signer[],
): MessageMaker {
  let prepared: ReturnType<typeof prepareShared> | undefined;
  const personal = personalMaker(edition, config, secrets);
  let last: { at: number; field: HeaderField } | undefined;
  // One date for most of the copies in a row.
  const dated = (at: number): HeaderField => {
    if (last?.at !== at) last = { at, field: dateField(at) };
    return last.field;
  };

  return async ({ subscriberId, email, expiresAt }) => {
    prepared ??= prepareShared(edition, newsletter, signers);
    const { sender, shared, body, signing } = prepared;
    const to = recipientOf(email);
    const { links, returnPath, unsubscribeAddress } = personal(subscriberId);
    const fields = [
      shared,
      dated(dueAt(edition, newsletter, expiresAt)),
      to.field,
      headerField('Message-ID', `<${messageName(edition, subscriberId)}@${sender.domain}>`),
      ...unsubscribeFields(links.unsubscribe, unsubscribeAddress),
    ];
    const envelope = {
      newsletter: edition.newsletter,
      slot: edition.slot,
      from: returnPath ?? sender.address,
      to: to.address,
    };
    return assembleMessage(envelope, fields, body.copy(links), signing);
  };
}

function prepareShared(
  edition: Parameters<typeof prepareMessages>[0],
  newsletter: NewsletterConfig,
  signers: readonly Signer[],
) {
  const { html, text, nonce, subject, closedAt } = edition;
  const sender = senderOf(newsletter.from, newsletter.replyTo);
  const body = prepareBody(boundaryName(nonce), {
    text: splitAtPlaceholders(text, nonce),
    html: splitAtPlaceholders(html, nonce),
  });
  const shared = joinFields([
    ...editionFields(subject, newsletter, sender, body.contentType),
    feedbackField(edition, sender.domain),
  ]);
  return { sender, body, shared, signing: { signers: signersOf(signers, sender.domain), signedAt: closedAt } };
}

/**
 * When the delivery was first due: that of the close, or the reader's own hour, which may be most of a day later, and filters hold an old
 * date against a message. The same on every try; a signature tells the close, since its time must not be yet to come anywhere.
 */
function dueAt(
  { closedAt }: Pick<Edition, 'closedAt'>,
  { expireAfterHours }: Pick<NewsletterConfig, 'expireAfterHours'>,
  expiresAt: number | null,
): number {
  return expiresAt === null ? closedAt : Math.max(closedAt, expiresAt - expireAfterHours * HOUR);
}

/** What only one subscriber's copy holds. The return path and the mailto: address are null where no mailbox takes bounces. */
function personalMaker(
  { id, newsletter }: Pick<Edition, 'id' | 'newsletter'>,
  { publication, bounces }: Pick<Config, 'publication' | 'bounces'>,
  secrets: SigningSecrets,
) {
  const base = new URL(`${publication.url}/`).href;
  const mailbox = bounces.address === undefined ? null : wireAddress(bounces.address);
  const tagged = (purpose: 'bounce' | 'unsubscribe', subscriberId: number): string | null =>
    mailbox && taggedAddress(mailbox, mailboxToken(secrets, { purpose, editionId: id, subscriberId }));

  return (subscriberId: number) => ({
    links: {
      unsubscribe: `${base}unsubscribe/${unsubscribeToken(secrets, { subscriberId, newsletter })}`,
      preferences: `${base}preferences/${preferencesToken(secrets, subscriberId)}`,
    },
    returnPath: tagged('bounce', subscriberId),
    unsubscribeAddress: tagged('unsubscribe', subscriberId),
  });
}

const ONE_CLICK = headerField('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click');

/** RFC 2369 §3.2; one click (RFC 8058 §3.1) only over https, as its text demands. */
function unsubscribeFields(url: string, address: string | null): HeaderField[] {
  const mailto = address === null ? '' : `, <mailto:${address}?subject=unsubscribe>`;
  return [headerField('List-Unsubscribe', `<${url}>${mailto}`), ...(url.startsWith('https:') ? [ONE_CLICK] : [])];
}

/**
 * Google's feedback loop (https://support.google.com/mail/answer/6254652): edition, newsletter, software, sender. Complaints are counted
 * by each of them alone, so none may be another newsletter's as well.
 */
function feedbackField({ slot, newsletter }: Pick<Edition, 'slot' | 'newsletter'>, domain: string): HeaderField {
  const edition = `${newsletter}-${slot}`.replace(/[^A-Za-z0-9._-]/g, '-');
  return headerField('Feedback-ID', [edition, newsletter, 'daywire', senderId(domain)].join(':'));
}

/** It must have 5 to 15 characters, and be the same in all mail of a sender. */
function senderId(domain: string): string {
  return /^.{5,15}$/.test(domain) ? domain : createHash('sha256').update(domain).digest('hex').slice(0, 15);
}

/** The left side of the Message-ID: the same on every try, and no help in guessing another's or in counting subscribers. */
function messageName(edition: Pick<Edition, 'newsletter' | 'slot' | 'nonce'>, subscriberId: number): string {
  return createHmac('sha256', edition.nonce)
    .update(`${edition.newsletter}\n${edition.slot}\n${subscriberId}`)
    .digest('hex')
    .slice(0, 40);
}

/** One for all copies. The nonce itself is in no message. */
function boundaryName(nonce: string): string {
  return createHmac('sha256', nonce).update('boundary').digest('hex').slice(0, 32);
}
