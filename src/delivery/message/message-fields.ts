/** The header fields of our messages: sender, recipient, date, and the fields that all copies of an edition share. */
import type { NewsletterConfig } from '../../core/config/config.ts';
import { parseAddress, wireAddress } from '../../lib/address.ts';
import { type HeaderField, headerField, headerPhrase, headerText } from './header-field.ts';

export interface Sender {
  /** ASCII. */
  address: string;
  /** The part after the @, in A-labels. */
  domain: string;
  /** From, and Reply-To if configured. */
  fields: HeaderField[];
}

/** @param from as configured */
export function senderOf(from: { name: string; email: string }, replyTo: string | undefined): Sender {
  const address = wireAddress(from.email);
  return {
    address,
    domain: address.slice(address.lastIndexOf('@') + 1),
    fields: [
      headerField('From', `${headerPhrase(from.name)} <${address}>`),
      ...(replyTo === undefined ? [] : [headerField('Reply-To', wireAddress(replyTo))]),
    ],
  };
}

/** A message cannot be built for this recipient; for others it can. */
export class RecipientError extends Error {
  override name = 'RecipientError';
}

/**
 * @param email as given by the subscriber
 * @returns the address as it is used in the envelope, and the To field
 * @throws RecipientError if the address is invalid, with the reason
 */
export function recipientOf(email: string): { address: string; field: HeaderField } {
  const parsed = parseAddress(email);
  if (parsed.kind === 'invalid') {
    throw new RecipientError(`the address ${JSON.stringify(email)} is invalid: ${parsed.reason}`);
  }
  const address = wireAddress(parsed.email);
  return { address, field: headerField('To', address) };
}

/** Adds a token to the local part of a mailbox: `bounces+token@example.com`. */
export function taggedAddress(mailbox: string, token: string): string {
  const at = mailbox.lastIndexOf('@');
  return `${mailbox.slice(0, at)}+${token}${mailbox.slice(at)}`;
}

/** The Date field of an instant (RFC 5322 §3.3), in UTC. */
export function dateField(instant: number): HeaderField {
  return headerField('Date', new Date(instant).toUTCString().replace('GMT', '+0000'));
}

/** The fields that all copies of an edition share. */
export function editionFields(
  subject: string,
  newsletter: Pick<NewsletterConfig, 'id' | 'title'>,
  sender: Sender,
  contentType: string,
): HeaderField[] {
  return [
    ...sender.fields,
    headerField('Subject', headerText(subject)),
    headerField('MIME-Version', '1.0'),
    headerField('Content-Type', contentType),
    // RFC 2919
    headerField('List-ID', `${headerPhrase(newsletter.title)} <${newsletter.id}.${sender.domain}>`),
    ...AUTOMATIC,
    headerField('Precedence', 'bulk'),
  ];
}

/** Prevents automatic replies: RFC 3834 §5.1, and what Exchange respects. */
export const AUTOMATIC: readonly HeaderField[] = [
  headerField('Auto-Submitted', 'auto-generated'),
  headerField('X-Auto-Response-Suppress', 'OOF, AutoReply'),
];
