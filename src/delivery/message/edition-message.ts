/**
 * Makes the copies of an edition (RFC 5322): the shared parts are prepared once, and personal values are filled in. A
 * delivery always produces the same bytes, so that a repeated submission can be recognised by its Message-ID.
 */
import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { PREFERENCES_LINK_LIFETIME } from '../../audience/account-links.ts';
import {
  mailboxToken,
  type PreferencesKey,
  preferencesToken,
  unsubscribeAddressToken,
  unsubscribeToken,
} from '../../audience/tokens.ts';
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Signer } from '../../core/keys.ts';
import type { EditionSegments } from '../../editions/copies/copy.ts';
import type { Edition } from '../../editions/queries.ts';
import { splitAtPlaceholders } from '../../editions/rendering/placeholders.ts';
import { wireAddress } from '../../lib/address.ts';
import { sha256 } from '../../lib/sha256.ts';
import { HOUR } from '../../lib/time.ts';
import type { OutgoingMessage } from '../transport/connection.ts';
import { assembleMessage, type PreparedBody, prepareBody } from './body.ts';
import { type ChosenCopy, openCopyBodies } from './copy-bodies.ts';
import { type HeaderField, headerField, joinFields } from './header-field.ts';
import { dateField, editionFields, recipientOf, senderOf, taggedAddress } from './message-fields.ts';
import { providerFields, signingFor } from './provider-fields.ts';

interface Recipient {
  subscriberId: number;
  /** As given by the subscriber. */
  email: string;
  /** Version of the subscriber's links to the preferences. */
  tokenVersion: number;
  /** End of the delivery, epoch milliseconds; null if it does not expire. */
  expiresAt: number | null;
  /** When the copy is submitted: no date is later. */
  now: number;
  /** Null or undefined for the whole edition. */
  copy?: ChosenCopy | null;
}

/**
 * Makes the copy of one recipient.
 * @throws Error if the edition has no unsubscribe link, or the address is invalid
 */
export type MessageMaker = (recipient: Recipient) => Promise<OutgoingMessage>;

/**
 * Returns the function that makes the copies of an edition. The shared parts are prepared with the first copy.
 * @param secrets sign links and return paths
 * @param signers of all domains; those of the sender's domain are used
 */
export function prepareMessages(
  edition: Pick<
    Edition,
    'id' | 'newsletter' | 'slot' | 'revision' | 'subject' | 'nonce' | 'html' | 'text' | 'closedAt' | 'messageIdDomain'
  > & { segments?: EditionSegments | null },
  newsletter: NewsletterConfig,
  config: Pick<Config, 'publication' | 'bounces' | 'delivery'>,
  secrets: SigningSecrets,
  signers: readonly Signer[],
): MessageMaker {
  let prepared: ReturnType<typeof prepareShared> | undefined;
  const personal = personalMaker(edition, config, secrets);
  let last: { at: number; field: HeaderField } | undefined;
  // Most consecutive copies have the same date.
  const dateOf = (at: number): HeaderField => {
    if (last?.at !== at) last = { at, field: dateField(at) };
    return last.field;
  };

  return async ({ subscriberId, email, tokenVersion, expiresAt, now, copy = null }) => {
    prepared ??= prepareShared(edition, newsletter, config, signers);
    const { sender, feedback, signing } = prepared;
    const { shared, body } = prepared.contentOf(copy);
    const to = recipientOf(email);
    const date = Math.min(now, dueAt(edition, newsletter, expiresAt));
    const { links, token, returnPath, unsubscribeAddress } = personal({
      subscriberId,
      version: tokenVersion,
      expiresAt: date + PREFERENCES_LINK_LIFETIME,
    });
    const fields = [
      shared,
      dateOf(date),
      to.field,
      headerField('Message-ID', `<${messageName(edition, subscriberId)}@${edition.messageIdDomain ?? sender.domain}>`),
      ...unsubscribeFields(links.unsubscribe, unsubscribeAddress),
      ...feedback.fields,
      ...providerFields(config.delivery, { kind: 'edition', token, feedback: feedback.groups }),
    ];
    const envelope = {
      newsletter: edition.newsletter,
      slot: edition.slot + revisionSuffix('-r', edition.revision),
      from: returnPath ?? sender.address,
      to: to.address,
    };
    return assembleMessage(envelope, fields, body.copy(links), signing);
  };
}

// Preparing a copy takes a tenth of a millisecond, less than signing it: more are not worth their memory.
const KEPT_COPIES = 16;

function prepareShared(
  edition: Parameters<typeof prepareMessages>[0],
  newsletter: NewsletterConfig,
  { delivery: { provider } }: Pick<Config, 'delivery'>,
  signers: readonly Signer[],
) {
  const { html, text, nonce, subject, closedAt, segments } = edition;
  const sender = senderOf(newsletter.from, newsletter.replyTo);
  // The same for all copies. The nonce itself is not in any message.
  const boundary = createHmac('sha256', nonce).update('boundary').digest('hex').slice(0, 32);
  const groups = feedbackGroups(edition);
  const field = feedbackField(groups, sender.domain);
  const whole = prepareBody(boundary, {
    text: splitAtPlaceholders(text, nonce),
    html: splitAtPlaceholders(html, nonce),
  });
  // Encoding a subject takes as long as preparing a body, and many copies have the same.
  const headerOf = (one: string): HeaderField => {
    const fields = editionFields(one, newsletter, sender, whole.contentType);
    return joinFields(provider === 'none' ? [...fields, field] : fields);
  };
  const headers = new LRUCache<string, HeaderField>({ max: 500, memoMethod: headerOf });
  const bodyOf = segments == null ? null : openCopyBodies(segments, nonce, boundary);
  const copies = new LRUCache<string, PreparedBody, ChosenCopy>({
    max: KEPT_COPIES,
    memoMethod(_key, _old, { context }) {
      if (bodyOf === null) throw new Error('the edition has copies, but no segments');
      return bodyOf(context);
    },
  });
  // Amazon SES makes a Feedback-ID of its own of the groups.
  const unsignedFeedback = provider === 'none' || provider === 'ses' ? [] : [field];
  return {
    sender,
    contentOf: (copy: ChosenCopy | null) => ({
      shared: headers.memo(copy?.subject ?? subject),
      body: copy === null ? whole : copies.memo(`${copy.stories} ${copy.subject}`, { context: copy }),
    }),
    feedback: { groups, fields: unsignedFeedback },
    signing: signingFor(provider, signers, sender.domain, closedAt),
  };
}

/**
 * The instant at which the delivery was first due: when the edition closed, or the time of day in the subscriber's
 * zone, which may be most of a day later. Spam filters penalise old dates. It is the same for each attempt, unless
 * `expireAfterHours` was lowered since: then it may be in the future. Signatures use the close.
 */
function dueAt(
  { closedAt }: Pick<Edition, 'closedAt'>,
  { expireAfterHours }: Pick<NewsletterConfig, 'expireAfterHours'>,
  expiresAt: number | null,
): number {
  return expiresAt === null ? closedAt : Math.max(closedAt, expiresAt - expireAfterHours * HOUR);
}

/**
 * The personal values of a copy. `token` identifies it in reports. Return path and mailto: address are null if no
 * mailbox for bounces is configured.
 */
function personalMaker(
  { id, newsletter }: Pick<Edition, 'id' | 'newsletter'>,
  { publication, bounces, delivery }: Pick<Config, 'publication' | 'bounces' | 'delivery'>,
  secrets: SigningSecrets,
) {
  const base = new URL(`${publication.url}/`).href;
  const mailbox = bounces.address === undefined ? null : wireAddress(bounces.address);
  const isTokenUsed = mailbox !== null || delivery.provider !== 'none';

  return ({ subscriberId, ...link }: PreferencesKey) => {
    const token = isTokenUsed ? mailboxToken(secrets, { purpose: 'bounce', editionId: id, subscriberId }) : null;
    return {
      links: {
        unsubscribe: `${base}unsubscribe/${unsubscribeToken(secrets, { subscriberId, newsletter })}`,
        preferences: `${base}preferences/${preferencesToken(secrets, { subscriberId, ...link })}`,
      },
      token,
      returnPath: mailbox && token && taggedAddress(mailbox, token),
      unsubscribeAddress:
        mailbox && taggedAddress(mailbox, unsubscribeAddressToken(secrets, { subscriberId, newsletter })),
    };
  };
}

const ONE_CLICK = headerField('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click');

/** RFC 2369 §3.2; one-click (RFC 8058 §3.1), which requires https. */
function unsubscribeFields(url: string, address: string | null): HeaderField[] {
  const mailto = address === null ? '' : `, <mailto:${address}?subject=unsubscribe>`;
  return [headerField('List-Unsubscribe', `<${url}>${mailto}`), ...(url.startsWith('https:') ? [ONE_CLICK] : [])];
}

/**
 * Google's feedback loop (https://support.google.com/mail/answer/6254652): edition, newsletter, software, sender.
 * Complaints are counted for each value separately, so no value may be used by two newsletters.
 */
function feedbackField({ edition, newsletter }: { edition: string; newsletter: string }, domain: string): HeaderField {
  return headerField('Feedback-ID', [edition, newsletter, 'daywire', senderId(domain)].join(':'));
}

function feedbackGroups({ slot, newsletter, revision }: Pick<Edition, 'slot' | 'newsletter' | 'revision'>) {
  const edition = `${newsletter}-${slot}${revisionSuffix('-r', revision)}`.replace(/[^A-Za-z0-9._-]/g, '-');
  return { edition, newsletter };
}

/** Must have 5 to 15 characters and be the same in all mail of a sender. */
function senderId(domain: string): string {
  return /^.{5,15}$/.test(domain) ? domain : sha256(domain).slice(0, 15);
}

/**
 * The left side of a Message-ID: the same for each attempt; others cannot be guessed, nor subscribers counted, from it.
 * From revision 2 on it ends with the revision.
 */
function messageName(
  edition: Pick<Edition, 'newsletter' | 'slot' | 'revision' | 'nonce'>,
  subscriberId: number,
): string {
  const name = createHmac('sha256', edition.nonce)
    .update(`${edition.newsletter}\n${edition.slot}\n${subscriberId}`)
    .digest('hex')
    .slice(0, 40);
  return name + revisionSuffix('.r', edition.revision);
}

/** Empty for the first revision: messages of editions from before there were revisions must not change. */
function revisionSuffix(separator: string, revision: number): string {
  return revision === 1 ? '' : `${separator}${revision}`;
}
