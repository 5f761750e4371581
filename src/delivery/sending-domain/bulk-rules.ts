/**
 * The rules of Gmail, Yahoo and Microsoft for senders of 5,000 messages a day or more, as a checklist: Gmail's "Email
 * sender guidelines" and Yahoo's "Sender best practices", since February 2024; Microsoft's "requirements for high
 * volume senders" of Outlook.com, since May 2025, which rejects others by `550 5.7.515`.
 */
import { formatPercent, judgeRate, percentOf } from '../rates/judge-rates.ts';
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

/** Complaints among the messages that were delivered. */
export interface ComplaintCounts {
  delivered: number;
  complaints: number;
}

/** Null where nothing was counted yet; or why it could not be counted. */
export type ComplaintsKnown = ComplaintCounts | { problem: string } | null;

/** Percent; Gmail and Yahoo. */
const SPAM_RATE_LIMIT = 0.3;

const ALL = '(Gmail, Yahoo, Microsoft)';
const BOTH = '(Gmail, Yahoo)';

/** @param counts of the last weeks */
export function bulkRules(judgements: readonly Judgement[], setup: SendingSetup, counts: ComplaintsKnown): BulkRule[] {
  const { provider } = setup;
  const of = (...ids: string[]): Judgement[] => judgements.filter(({ id }) => ids.includes(id));
  const sender = provider?.title ?? 'your mail server';
  return [
    rule('spf', `SPF passes ${ALL}`, of('spf', 'spf-lookups', 'spf-senders')),
    rule('dkim', `DKIM signs every message ${ALL}`, of('dkim')),
    rule('dmarc', `a DMARC policy, at least p=none ${ALL}`, of('dmarc')),
    rule('alignment', `From aligns with SPF or DKIM ${ALL}`, of('alignment')),
    rule('from', `From is at a domain of your own that receives replies ${ALL}`, of('sender')),
    rule('ptr', `the sending IP addresses have names that lead back to them (PTR) ${BOTH}`, of('ptr'), {
      verdict: 'unknown',
      message:
        provider === null
          ? 'delivery.addresses does not name the IP addresses of your mail'
          : `${provider.title} sends from IP addresses of its own, which are not checked`,
    }),
    rule('tls', 'mail is transmitted over TLS (Gmail)', [], {
      verdict: 'unknown',
      message: `whether ${sender} uses TLS towards mailbox providers is a setting of its own`,
    }),
    rule('one-click', `one-click unsubscribe (RFC 8058) ${BOTH}`, of('one-click')),
    rule('visible-link', `a visible link to unsubscribe in the message ${ALL}`, [], {
      verdict: 'pass',
      message: 'an edition whose template shows none is not rendered',
    }),
    rule('format', `messages follow RFC 5322 ${BOTH}`, [], {
      verdict: 'pass',
      message: 'daywire writes one From, Date and Message-ID, and lines of at most 998 octets',
    }),
    rule('spam-rate', `spam rate below ${SPAM_RATE_LIMIT} % ${BOTH}`, [], judgeSpamRate(counts)),
  ];
}

type Reason = Pick<Judgement, 'verdict' | 'message'>;

const NOTHING: Reason = { verdict: 'unknown', message: 'there is no newsletter' };

/** @param otherwise the reason where there are no judgements */
function rule(id: string, text: string, judgements: readonly Reason[], otherwise: Reason = NOTHING): BulkRule {
  const reasons = judgements.length > 0 ? judgements : [otherwise];
  const verdict = weakest(reasons);
  const messages = reasons.filter((one) => one.verdict === verdict).map(({ message }) => message);
  return { id, rule: text, verdict, reason: [...new Set(messages)].join('; ') };
}

function judgeSpamRate(counts: ComplaintsKnown): Reason {
  if (counts !== null && 'problem' in counts) {
    return { verdict: 'unknown', message: `complaints could not be counted: ${counts.problem}` };
  }
  if (counts === null || counts.delivered === 0) {
    return { verdict: 'unknown', message: 'nothing is known of deliveries; Gmail shows it in Postmaster Tools' };
  }
  const rate = { events: counts.complaints, messages: counts.delivered };
  const percent = formatPercent(percentOf(rate));
  const message = `${counts.complaints} complaints about ${counts.delivered} messages in 30 days, ${percent} %`;
  if (judgeRate('complaint', rate, { alert: SPAM_RATE_LIMIT, pause: SPAM_RATE_LIMIT }) === 'pause') {
    return { verdict: 'fail', message };
  }
  // Gmail reports no single complaints, so none does not mean that there were none.
  return { verdict: 'unknown', message: `${message}; Gmail shows its own rate in Postmaster Tools only` };
}
