/**
 * Replies of mail providers that are about the account of the newsroom, with codes that other servers use for one
 * recipient. The words are those that they document, so they count only from that mail provider.
 */
import type { MailProvider } from '../../core/config/config.ts';

export type AccountReply =
  /** More than the account may send now. It passes by itself. */
  | 'limit'
  /** A sender that is not verified, or an account that may not send: somebody must change something. */
  | 'configuration';

const REPLIES: Record<MailProvider, readonly [RegExp, AccountReply][]> = {
  none: [],
  // https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html and manage-sending-quotas-errors.html
  ses: [
    [/^4\d\d\b.*\bThrottling failure\b/i, 'limit'],
    // Also of the recipient, in the sandbox.
    [/^554\b.*\bEmail address is not verified\b/i, 'configuration'],
    [/^554\b.*\bAccess denied\b/i, 'configuration'],
    [/^554\b.*\bSending (suspended|paused) for this account\b/i, 'configuration'],
    [/^554\b.*\bConfiguration set\b.*\b(does not exist|sending paused)\b/i, 'configuration'],
  ],
  // https://postmarkapp.com/developer/api/overview#error-codes
  postmark: [
    [/^5\d\d\b.*\bSender Signature\b/i, 'configuration'],
    [/^5\d\d\b.*\b(pending approval|not allowed to send)\b/i, 'configuration'],
  ],
  // https://help.mailgun.com/hc/en-us/articles/202051664 and 115001124753
  mailgun: [
    [/^[45]\d\d\b.*\bnot allowed to send\b.*\blimit\b/i, 'limit'],
    [/^[45]\d\d\b.*\bnot allowed to send\b/i, 'configuration'],
  ],
  // https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting
  sendgrid: [
    [/^452\b.*\bToo many recipients received this hour\b/i, 'limit'],
    [/^4\d\d\b.*\bMaximum credits exceeded\b/i, 'limit'],
    [/^[45]\d\d\b.*\bnot authorized to send from that email address\b/i, 'configuration'],
    [/^550\b.*\bdoes not match a verified Sender Identity\b/i, 'configuration'],
  ],
  // https://help.brevo.com/hc/en-us/articles/115000188150
  brevo: [
    [/^5\d\d\b.*\bSMTP account is not yet activated\b/i, 'configuration'],
    [/^5\d\d\b.*\bsender\b.*\bis not valid\b/i, 'configuration'],
  ],
};

/**
 * What a reply says about the account; null if it is about the message or its recipient.
 * @param reply of bounded length
 */
export function accountReply(provider: MailProvider, reply: string | null): AccountReply | null {
  if (reply === null) return null;
  return REPLIES[provider].find(([words]) => words.test(reply))?.[1] ?? null;
}
