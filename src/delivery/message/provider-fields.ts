/**
 * Header fields for the mail provider: a token that it returns with each report of the message, and its switches. It
 * removes them. Tracking is off: links reach subscribers unchanged, and nobody is counted.
 */
import type { Config, MailProvider } from '../../core/config/config.ts';
import type { Signer } from '../../core/keys.ts';
import { type Signing, signersOf } from './dkim.ts';
import { type HeaderField, headerField } from './header-field.ts';

/** A message as its mail provider identifies it. */
export interface ProviderMessage {
  /** Service messages may go through another message stream. */
  kind: 'edition' | 'service';
  /** Token of the return path (audience/tokens.ts); null for a test copy, about which no report is recorded. */
  token: string | null;
  /** The groups for which Google counts complaints. */
  feedback: { edition: string; newsletter: string } | null;
}

/** The fields for the configured mail provider; none without one. */
export function providerFields(
  { provider, ses, postmark }: Pick<Config['delivery'], 'provider' | 'ses' | 'postmark'>,
  { kind, token, feedback }: ProviderMessage,
): HeaderField[] {
  switch (provider) {
    case 'none':
      return [];
    case 'ses':
      return sesFields(ses?.configurationSet, token, feedback);
    case 'postmark':
      // https://postmarkapp.com/developer/user-guide/send-email-with-smtp. KeepID: otherwise it makes a Message-ID of
      // its own, and a repeated submission cannot be recognised.
      return [
        ...tokenField('X-PM-Metadata-daywire', token, (one) => one),
        ...optionalField('X-PM-Message-Stream', kind === 'edition' ? postmark?.stream : postmark?.serviceStream),
        headerField('X-PM-TrackOpens', 'false'),
        headerField('X-PM-TrackLinks', 'None'),
        headerField('X-PM-KeepID', 'true'),
      ];
    case 'mailgun':
      // https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/pass-sending-options
      return [
        ...tokenField('X-Mailgun-Variables', token, (daywire) => spacedJson({ daywire })),
        headerField('X-Mailgun-Track', 'no'),
        headerField('X-Mailgun-Track-Clicks', 'no'),
        headerField('X-Mailgun-Track-Opens', 'no'),
      ];
    case 'sendgrid':
      return [sendGridField(token)];
    case 'brevo':
      // https://developers.brevo.com/docs/smtp-integration: name:value. It has no switch for tracking.
      return tokenField('X-Mailin-custom', token, (one) => `daywire:${one}`);
  }
}

/**
 * How messages are signed that go through a mail provider.
 * @param signers of all domains; those of the sender's domain are used
 * @param signedAt epoch milliseconds
 */
export function signingFor(
  provider: MailProvider,
  signers: readonly Signer[],
  senderDomain: string,
  signedAt: number,
): Signing {
  // Postmark rebuilds each message from its parts, which breaks every signature of the body. It signs itself.
  const own = provider === 'postmark' ? [] : signersOf(signers, senderDomain);
  return { signers: own, signedAt, unsigned: UNSIGNED[provider] };
}

const OWN_FIELDS = {
  ses: ['X-SES-CONFIGURATION-SET', 'X-SES-MESSAGE-TAGS'],
  postmark: ['X-PM-Metadata-daywire', 'X-PM-Message-Stream', 'X-PM-TrackOpens', 'X-PM-TrackLinks', 'X-PM-KeepID'],
  mailgun: ['X-Mailgun-Variables', 'X-Mailgun-Track', 'X-Mailgun-Track-Clicks', 'X-Mailgun-Track-Opens'],
  sendgrid: ['X-SMTPAPI'],
  brevo: ['X-Mailin-custom'],
};

// Fields that a mail provider may remove, replace or add. Amazon SES replaces Message-ID and Date
// (https://docs.aws.amazon.com/ses/latest/dg/header-fields.html). Each has a Feedback-ID of its own.
const UNSIGNED: Record<MailProvider, ReadonlySet<string>> = {
  none: new Set(),
  ses: new Set([...OWN_FIELDS.ses, 'Message-ID', 'Date', 'Feedback-ID']),
  postmark: new Set([...OWN_FIELDS.postmark, 'Message-ID', 'Feedback-ID']),
  mailgun: new Set([...OWN_FIELDS.mailgun, 'Message-ID', 'Feedback-ID']),
  sendgrid: new Set([...OWN_FIELDS.sendgrid, 'Message-ID', 'Feedback-ID']),
  brevo: new Set([...OWN_FIELDS.brevo, 'Message-ID', 'Feedback-ID']),
};

/**
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html. The tags ses:feedback-id-a and -b become
 * the first parts of the Feedback-ID that SES makes.
 */
function sesFields(
  configurationSet: string | undefined,
  token: string | null,
  feedback: ProviderMessage['feedback'],
): HeaderField[] {
  const tags = [
    ...(token === null ? [] : [`daywire=${token}`]),
    ...(feedback === null
      ? []
      : [`ses:feedback-id-a=${tagValue(feedback.edition)}`, `ses:feedback-id-b=${tagValue(feedback.newsletter)}`]),
  ];
  return [
    ...optionalField('X-SES-CONFIGURATION-SET', configurationSet),
    ...(tags.length === 0 ? [] : [headerField('X-SES-MESSAGE-TAGS', tags.join(', '))]),
  ];
}

/** The end of an edition's name, its slot, distinguishes it. */
function tagValue(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '-').slice(-256);
}

/** https://www.twilio.com/docs/sendgrid/for-developers/sending-email/building-an-x-smtpapi-header */
function sendGridField(token: string | null): HeaderField {
  const off = { settings: { enable: 0 } };
  return headerField(
    'X-SMTPAPI',
    spacedJson({
      ...(token === null ? {} : { unique_args: { daywire: token } }),
      // ganalytics adds parameters to links; subscriptiontrack replaces List-Unsubscribe.
      filters: { clicktrack: off, opentrack: off, subscriptiontrack: off, ganalytics: off },
    }),
  );
}

function tokenField(name: string, token: string | null, write: (token: string) => string): HeaderField[] {
  return token === null ? [] : [headerField(name, write(token))];
}

function optionalField(name: string, value: string | undefined): HeaderField[] {
  return value === undefined ? [] : [headerField(name, value)];
}

/** JSON with spaces, at which a header line can be folded. Strings must have none. */
function spacedJson(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/\s+/g, ' ');
}
