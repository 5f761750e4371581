/** The keys `delivery` and `bounces`. Call `describe` last: methods of zod return copies without it. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { domain, perSecond, text } from './values.ts';

const topicArn = z
  .string()
  .regex(
    /^arn:aws(-cn|-us-gov)?:sns:[a-z]{2}(-[a-z]+)+-\d+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    'must be the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:mail-events',
  );
const streamId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,29}$/, 'must be the ID of a message stream');
const ipAddress = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address');

// One percentage raises an alert, the other raises another alert and pauses.
/** Percent of an edition's delivered messages. Gmail and Yahoo ask for less than 0.1 %, and never 0.3 %. */
const COMPLAINT_RATE = { alert: 0.1, pause: 0.3 };
/** Hard bounces, in percent of an edition's submitted messages. Amazon SES reviews accounts from 5 % on. */
const BOUNCE_RATE = { alert: 2, pause: 5 };

export const delivery = z
  .strictObject({
    transport: z
      .enum(['file', 'smtp'])
      .default('file')
      .describe('file: writes .eml files under <paths.data>/mail. smtp: submits to DAYWIRE_SMTP_URL or smtpUrl.'),
    provider: z
      .enum(['ses', 'postmark', 'mailgun', 'sendgrid', 'brevo', 'none'])
      .default('none')
      .describe(
        'The mail provider behind the SMTP server. It reports bounces and complaints to /webhooks/<provider>, and ' +
          'messages get the header fields and limits that it has. none: your own mail server.',
      ),
    ses: z
      .strictObject({
        topics: z
          .array(topicArn)
          .min(1)
          .describe('SNS topics whose reports count. Anyone can sign a report with a topic of their own.'),
        configurationSet: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the name of a configuration set')
          .optional()
          .describe('Configuration set of every message. Default: that of the sender in Amazon SES.'),
      })
      .optional()
      .describe('Amazon SES. Required with provider ses.'),
    postmark: z
      .strictObject({
        stream: streamId.optional().describe('Message stream of editions, such as broadcasts.'),
        serviceStream: streamId.optional().describe('Message stream of service messages. Default: outbound.'),
      })
      .optional()
      .describe('Postmark. Only with provider postmark.'),
    addresses: z
      .array(ipAddress)
      .default([])
      .describe('IP addresses from which your mail leaves. "daywire domain" checks SPF and reverse DNS for them.'),
    returnPathDomain: domain
      .optional()
      .describe('Domain to which the mail provider changes the return path (custom MAIL FROM).'),
    smtpUrl: z
      .url({ protocol: /^smtps?$/, error: 'must be smtp://host:port or smtps://host:port' })
      .optional()
      .describe('SMTP server without a password. With a password, set DAYWIRE_SMTP_URL instead.'),
    connections: z.int().min(1).max(50).default(5).describe('SMTP connections of one process.'),
    uncertain: z
      .enum(['retry', 'hold'])
      .default('retry')
      .describe(
        'What happens to a message if the process or the connection ends before the reply of the server. retry: ' +
          'submit it again once, with the same Message-ID. hold: leave it to the operator.',
      ),
    perSecond: perSecond.optional().describe('Maximum messages per second, over all processes. Default: no limit.'),
    perDay: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Maximum messages in any 24 hours, over all processes. Editions use 98 % of it: the rest is for service ' +
          'messages, which count but never wait. Default: no limit.',
      ),
    warmUp: z
      .strictObject({
        from: z.iso
          .date({ error: 'must be a date such as 2026-11-24' })
          .describe("First day, in the publication's zone."),
        perDay: z.array(z.int().min(1)).min(1).describe('Maximum messages on the first day, the second day and so on.'),
      })
      .optional()
      .describe('Daily limits of editions for a new sender. After the last day there is no limit.'),
    dkim: z
      .array(
        z.strictObject({
          domain: domain.describe('Domain that signs.'),
          selector: z
            .string()
            .regex(/^[A-Za-z0-9._-]+$/, 'must be a DNS name')
            .describe('Selector: the public key is at <selector>._domainkey.<domain> in the DNS.'),
          keyFile: text.describe('File of the private key, in PEM: RSA of 2048 bits or more, or Ed25519.'),
        }),
      )
      .default([])
      .describe("DKIM keys. Every key signs whose domain is the sender's, or a parent of it (RFC 6376, RFC 8463)."),
  })
  .prefault({})
  .transform((keys) => ({ ...keys, complaintRate: { ...COMPLAINT_RATE }, bounceRate: { ...BOUNCE_RATE } }))
  .describe('Delivery of emails.');

/** Between two checks of the mailbox DAYWIRE_IMAP_URL. */
const POLL_MINUTES = 5;

export const bounces = z
  .strictObject({
    address: z
      .email()
      .optional()
      .describe(
        'Return path and mailto: unsubscribe address. A plus sign and a token are added to its local part, which ' +
          'may have 23 characters. Default: the sender, and no mailto:.',
      ),
    softLimit: z
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe('Soft bounces in a row, without an accepted message between them, until an address is suppressed.'),
  })
  .prefault({})
  .transform((keys) => ({ ...keys, pollMinutes: POLL_MINUTES }))
  .describe('Bounces and complaints.');
