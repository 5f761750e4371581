/**
 * Service messages: the request to confirm a subscription, the note that it exists already, and links that a subscriber
 * requested. Rendered from `templates/mail/`; each attempt produces the same bytes.
 */
import { PREFERENCES_LINK_LIFETIME } from '../../audience/account-links.ts';
import { mailboxToken, messageToken, preferencesToken } from '../../audience/tokens.ts';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { newsletterSite, type SiteView } from '../../core/config/site-view.ts';
import type { Signer } from '../../core/keys.ts';
import type { Tables } from '../../core/store/tables.ts';
import { wrapText } from '../../editions/rendering/wrap-text.ts';
import { wireAddress } from '../../lib/address.ts';
import { textDirection } from '../../lib/locale/direction.ts';
import { sha256 } from '../../lib/sha256.ts';
import type { Templates } from '../../lib/templates.ts';
import { localDate } from '../../lib/time.ts';
import type { OutgoingMessage } from '../transport/connection.ts';
import { assembleMessage, prepareBody } from './body.ts';
import { headerField, headerText } from './header-field.ts';
import { AUTOMATIC, dateField, RecipientError, recipientOf, senderOf, taggedAddress } from './message-fields.ts';
import { providerFields, signingFor } from './provider-fields.ts';

export interface ServiceMessage {
  id: number;
  kind: Tables['service_messages']['kind'];
  subscriberId: number;
  /** As given by the subscriber. */
  email: string;
  /** Version of the subscriber's links to the preferences. */
  tokenVersion: number;
  /** Ids of the requested newsletters, or of all of a subscriber who requested a link. */
  newsletters: string[];
  createdAt: number;
  /** End of the link. */
  expiresAt: number;
  /** The wording that a request was made with; null without one. */
  consent: string | null;
}

export interface ServiceContext {
  config: Config;
  templates: Templates;
  secrets: SigningSecrets;
  /** Signers of all domains; those of the sender's domain are used. */
  signers: readonly Signer[];
}

/** RFC 5322 §2.1.1 allows 78. Replies may add `> ` twice. */
const TEXT_COLUMNS = 72;

/**
 * Renders `mail/<kind>.html.liquid` and `mail/<kind>.txt.liquid`. Sender and postal address are those of the first
 * configured newsletter that was requested; a requested link is mailed even if none of the subscriber's is still
 * configured.
 * @throws RecipientError if none of the newsletters is still configured; Error if a template is invalid
 */
export async function prepareServiceMessage(
  message: ServiceMessage,
  { config, templates, secrets, signers }: ServiceContext,
): Promise<OutgoingMessage> {
  const { id, subscriberId, createdAt } = message;
  const requested = config.newsletters.filter((one) => message.newsletters.includes(one.id));
  const newsletters = requested.map((one) => ({ ...one, language: one.language ?? config.publication.language }));
  const isLink = message.kind !== 'confirm' && message.kind !== 'already';
  const first = newsletters[0] ?? (isLink ? config.newsletters[0] : undefined);
  if (first === undefined)
    throw new RecipientError(`the newsletters ${message.newsletters.join(', ')} are no longer configured`);
  // In the language of the newsletters, if they have the same.
  const languages = new Set(newsletters.map((one) => one.language));
  const [language = config.publication.language] = languages.size === 1 ? languages : [];
  const site = { ...newsletterSite(config, first), language };
  const { subject, text, html } = await render(message, newsletters, site, { config, templates, secrets });

  const sender = senderOf(first.from, first.replyTo);
  const token = mailboxToken(secrets, { purpose: 'service-bounce', messageId: id, subscriberId });
  const name = sha256(`${token}\nmessage`).slice(0, 40);
  const body = prepareBody(name, {
    text: { texts: [text], placeholders: [] },
    html: { texts: [html], placeholders: [] },
  });
  const to = recipientOf(message.email);
  const fields = [
    ...sender.fields,
    to.field,
    headerField('Subject', headerText(subject)),
    dateField(createdAt),
    headerField('Message-ID', `<${name}@${sender.domain}>`),
    headerField('MIME-Version', '1.0'),
    headerField('Content-Type', body.contentType),
    ...AUTOMATIC,
    ...providerFields(config.delivery, { kind: 'service', token, feedback: null }),
  ];
  const { address } = config.bounces;
  const from = address === undefined ? sender.address : taggedAddress(wireAddress(address), token);
  // With the id: the file transport has a file for each slot and address, and a day can have several messages.
  const slot = `${localDate(createdAt, config.publication.zone)}-${id}`;
  const envelope = { newsletter: 'service', slot, from, to: to.address };
  const signing = signingFor(config.delivery.provider, signers, sender.domain, createdAt);
  return assembleMessage(envelope, fields, body.copy({}), signing);
}

async function render(
  { id, kind, subscriberId, email, tokenVersion, createdAt, expiresAt, consent }: ServiceMessage,
  newsletters: { title: string; description: string; language: string }[],
  site: SiteView,
  { config, templates, secrets }: Omit<ServiceContext, 'signers'>,
): Promise<{ subject: string; text: string; html: string }> {
  const base = new URL(`${config.publication.url}/`).href;
  const key = { messageId: id, subscriberId };
  const preferences = (): string => {
    const until = createdAt + PREFERENCES_LINK_LIFETIME;
    return `${base}preferences/${preferencesToken(secrets, { subscriberId, version: tokenVersion, expiresAt: until })}`;
  };
  const link = {
    confirm: () => `${base}confirm/${messageToken(secrets, 'confirm', key)}`,
    already: preferences,
    preferences,
    export: () => `${base}account/export/${messageToken(secrets, 'export', key)}`,
    erase: () => `${base}account/erase/${messageToken(secrets, 'erase', key)}`,
  }[kind]();
  const consentLanguage = config.publication.language;
  const about = { email, newsletters, link, expiresAt, consent, consentLanguage };
  const data = { site, dir: textDirection(site.language), ...about };
  const rendered = await templates.text(`mail/${kind}.txt.liquid`, data, site.language);
  const subject = /^Subject: ([\s\S]+?)\n\n/.exec(rendered);
  if (subject === null) throw new Error(`mail/${kind}.txt.liquid must begin with "Subject: " and an empty line`);
  return {
    subject: subject[1] as string,
    text: wrapText(rendered.slice(subject[0].length), TEXT_COLUMNS),
    html: await templates.html(`mail/${kind}.html.liquid`, data, site.language),
  };
}
