/**
 * Who a message is from and for, and to what address it comes back.
 */
import { parseAddress, wireAddress } from '../../subscribers/address.ts';
import { type HeaderField, headerField, headerPhrase } from './header-field.ts';

export interface Sender {
  /** ASCII. */
  address: string;
  /** The part behind the @, in A-labels. */
  domain: string;
  /** From, and Reply-To where it has one. */
  fields: HeaderField[];
}

/** @param from as the configuration has them */
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

/**
 * The one that a message is written to.
 * @param email as given by the subscriber
 * @returns the address as it goes over the wire, and the To field
 * @throws Error where it is none, with the reason
 */
export function recipientOf(email: string): { address: string; field: HeaderField } {
  const parsed = parseAddress(email);
  if (parsed.kind === 'invalid') throw new Error(`the address ${JSON.stringify(email)} is none: ${parsed.reason}`);
  const address = wireAddress(parsed.email);
  return { address, field: headerField('To', address) };
}

/** A mailbox's address with a token behind its local part: `bounces+token@example.com`. */
export function taggedAddress(mailbox: string, token: string): string {
  const at = mailbox.lastIndexOf('@');
  return `${mailbox.slice(0, at)}+${token}${mailbox.slice(at)}`;
}

/** The Date of an instant (RFC 5322 §3.3), in UTC. */
export function dateField(instant: number): HeaderField {
  return headerField('Date', new Date(instant).toUTCString().replace('GMT', '+0000'));
}
