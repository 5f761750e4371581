/**
 * An edition as one subscriber's email (RFC 5322): what all copies share is prepared once, what is personal is filled in.
 * The same delivery always makes the same bytes, so that a second try can be recognised by its Message-ID.
 */
import { createHmac } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Config, NewsletterConfig } from '../config.ts';
import { fillHtml, fillText } from '../editions/fill.ts';
import type { Edition } from '../editions/queries.ts';
import { wireAddress } from '../subscribers/address.ts';
import { deriveKey } from '../subscribers/keys.ts';
import { unsubscribeToken } from '../subscribers/tokens.ts';
import type { OutgoingMessage } from './connection.ts';
import { headerPhrase, headerText } from './header-text.ts';

interface Recipient {
  subscriberId: number;
  /** As given by the subscriber. */
  email: string;
}

/** Makes the copy of one recipient. */
export type MessageMaker = (recipient: Recipient) => Promise<OutgoingMessage>;

/**
 * Prepares an edition for mailing.
 * @param secret names the messages and signs the unsubscribe links
 */
export function prepareMessages(
  edition: Pick<Edition, 'newsletter' | 'slot' | 'subject' | 'nonce' | 'html' | 'text' | 'closedAt'>,
  newsletter: NewsletterConfig,
  config: Pick<Config, 'publication'>,
  secret: string,
): MessageMaker {
  const from = wireAddress(newsletter.from.email);
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const publicUrl = config.publication.url;
  const shared = {
    from: { name: newsletter.from.name, address: from },
    ...(newsletter.replyTo !== undefined && { replyTo: wireAddress(newsletter.replyTo) }),
    // The instant of the close, so that every try carries the same date.
    date: new Date(edition.closedAt),
    newline: 'win',
    boundaryPrefix: 'daywire',
    disableFileAccess: true,
    disableUrlAccess: true,
    // Named, because nodemailer would count the letters of every copy to find out (30% of a send, measured).
    textEncoding: textEncoding(edition.html),
  } as const;
  const sharedHeaders = {
    Subject: headerText(edition.subject),
    // RFC 2919
    'List-ID': {
      prepared: true,
      foldLines: true,
      value: `${headerPhrase(newsletter.title)} <${newsletter.id}.${domain}>`,
    },
    // RFC 3834 §5.1, and what holiday responders heed in practice.
    'Auto-Submitted': 'auto-generated',
    Precedence: 'bulk',
    'X-Auto-Response-Suppress': 'OOF, AutoReply',
  };

  return async (recipient) => {
    const to = wireAddress(recipient.email);
    const token = unsubscribeToken(secret, { subscriberId: recipient.subscriberId, newsletter: edition.newsletter });
    const unsubscribe = new URL(`${publicUrl}/unsubscribe/${token}`).href;
    const name = messageName(secret, edition, recipient.subscriberId);
    const composer = new MailComposer({
      ...shared,
      to: { name: '', address: to },
      messageId: `<${name}@${domain}>`,
      baseBoundary: name,
      headers: { ...sharedHeaders, ...unsubscribeHeaders(unsubscribe) },
      text: fillText(edition.text, edition.nonce, { unsubscribe }),
      html: fillHtml(edition.html, edition.nonce, { unsubscribe }),
    });
    const raw = await composer.compile().build();
    return { newsletter: edition.newsletter, slot: edition.slot, from, to, raw };
  };
}

/** RFC 2369 §3.2; one click (RFC 8058 §3.1) only over https, as its text demands. */
function unsubscribeHeaders(url: string) {
  return {
    // Not folded: a field whose first line is empty is legal, and too much for some readers.
    'List-Unsubscribe': { prepared: true, value: `<${url}>` },
    ...(url.startsWith('https:') && { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
  };
}

/** The left side of the Message-ID: the same on every try, and no help in guessing another's or in counting subscribers. */
function messageName(secret: string, edition: Pick<Edition, 'newsletter' | 'slot'>, subscriberId: number): string {
  return createHmac('sha256', deriveKey(secret, 'name messages'))
    .update(`${edition.newsletter}\n${edition.slot}\n${subscriberId}`)
    .digest('hex')
    .slice(0, 40);
}

/** Quoted-printable stays readable for Latin scripts; for others base64 is a third of its size. */
function textEncoding(text: string): 'quoted-printable' | 'base64' {
  const foreign = text.length - text.replace(/[^\u0000-\u007f]/g, '').length;
  return foreign * 8 > text.length ? 'base64' : 'quoted-printable';
}
