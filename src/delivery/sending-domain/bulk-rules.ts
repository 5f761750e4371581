/**
 * The rules of Gmail, Yahoo and Microsoft for senders of 5,000 messages a day or more, as a checklist: Gmail's "Email
 * sender guidelines" and Yahoo's "Sender best practices", since February 2024; Microsoft's "requirements for high
 * volume senders" of Outlook.com, since May 2025, which rejects others by `550 5.7.515`.
 */
import type { SendingSetup } from './judge-setup.ts';
import { type Judgement, type JudgementVerdict, weakest } from './judgement.ts';

export interface BulkRule {
  id: string;
  /** What the mailbox providers demand. */
  rule: string;
  verdict: JudgementVerdict;
  /** Why. */
  reason: string;
}

const ALL = '(Gmail, Yahoo, Microsoft)';
const BOTH = '(Gmail, Yahoo)';

export function bulkRules(judgements: readonly Judgement[], { provider, publicUrl }: SendingSetup): BulkRule[] {
  const judged = (id: string, text: string, ids: readonly string[], otherwise = ''): BulkRule => {
    const those = judgements.filter((one) => ids.includes(one.id));
    const verdict = weakest(those);
    const reasons = those.filter((one) => one.verdict === verdict).map(({ message }) => message);
    return { id, rule: text, verdict, reason: [...new Set(reasons)].join('; ') || otherwise };
  };
  return [
    judged('spf', `SPF passes ${ALL}`, ['spf', 'spf-senders']),
    judged('dkim', `DKIM signs every message ${ALL}`, ['dkim']),
    judged('dmarc', `a DMARC policy, at least p=none ${ALL}`, ['dmarc']),
    judged('alignment', `From aligns with SPF or DKIM ${ALL}`, ['alignment']),
    judged('from', `From is at a domain of your own that receives replies ${ALL}`, ['sender']),
    judged(
      'ptr',
      `the sending IP addresses have names that lead back to them (PTR) ${BOTH}`,
      ['ptr'],
      provider === null
        ? 'delivery.addresses does not name the IP addresses of your mail'
        : `${provider.title} sends from IP addresses of its own, which are not checked`,
    ),
    {
      id: 'tls',
      rule: 'mail is transmitted over TLS (Gmail)',
      verdict: 'unknown',
      reason: `whether ${provider?.title ?? 'your mail server'} uses TLS towards mailbox providers is its own setting`,
    },
    {
      id: 'one-click',
      rule: `one-click unsubscribe (RFC 8058) ${BOTH}`,
      verdict: publicUrl.startsWith('https:') ? 'pass' : 'fail',
      reason: `publication.url is ${publicUrl}; one-click unsubscribe needs https (RFC 8058 §3.1)`,
    },
    {
      id: 'spam-rate',
      rule: `spam rate below 0.3 % ${BOTH}`,
      verdict: 'unknown',
      reason:
        'daywire raises an alert about the complaints that are reported to it; Gmail shows its own rate in ' +
        'Postmaster Tools only',
    },
  ];
}
