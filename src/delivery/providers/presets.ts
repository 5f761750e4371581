/**
 * The sending limits that mail providers document. Rates and daily quotas are those of an account: no document tells
 * them, so they are configured. Pure.
 */
import type { Config, MailProvider } from '../../core/config/config.ts';

export interface ProviderPreset {
  name: string;
  /** Open connections at once; null if none is documented. */
  connections: number | null;
  /** daywire replaces a connection after 100 messages (transport/smtp-transport.ts). */
  messagesPerConnection: number | null;
  /** Bytes of a message, with its transfer encoding. */
  messageBytes: number | null;
  /** What is known of the quotas of an account that refuse messages; null if there are none. */
  quotas: string | null;
}

const MB = 1_000_000;

const PRESETS: Record<Exclude<MailProvider, 'none'>, ProviderPreset> = {
  // https://docs.aws.amazon.com/ses/latest/dg/quotas.html, manage-sending-quotas.html
  ses: {
    name: 'Amazon SES',
    connections: null,
    messagesPerConnection: null,
    messageBytes: 40 * MB,
    quotas: 'its console shows them; in the sandbox, 1 message a second and 200 in 24 hours',
  },
  // https://postmarkapp.com/support/article/1056-what-are-the-attachment-and-email-size-limits,
  // https://postmarkapp.com/support/article/do-we-have-rate-limits-for-smtp (a recommendation, for each IP address)
  postmark: {
    name: 'Postmark',
    connections: 10,
    messagesPerConnection: null,
    messageBytes: 10 * MB,
    quotas: null,
  },
  // https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-http
  mailgun: {
    name: 'Mailgun',
    connections: null,
    messagesPerConnection: null,
    messageBytes: 25 * MB,
    quotas: null,
  },
  // https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api,
  // https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations
  sendgrid: {
    name: 'SendGrid',
    connections: 10_000,
    messagesPerConnection: 5_000,
    messageBytes: 30 * MB,
    quotas: null,
  },
  // https://help.brevo.com/hc/en-us/articles/115000188150: it keeps messages over the hourly limit of an account
  brevo: {
    name: 'Brevo',
    connections: null,
    messagesPerConnection: null,
    messageBytes: null,
    quotas: null,
  },
};

/** The preset of the configured mail provider; null without one. */
export function presetOf({ provider }: Pick<Config['delivery'], 'provider'>): ProviderPreset | null {
  return provider === 'none' ? null : PRESETS[provider];
}
