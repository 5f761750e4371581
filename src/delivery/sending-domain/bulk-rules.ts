/**
 * The rules of Gmail and Yahoo for senders of 5,000 messages a day or more, as published since February 2024
 * (Gmail: "Email sender guidelines"; Yahoo: "Sender best practices"), as a checklist.
 */
import { isLargeProvider } from '../../audience/mailbox-providers.ts';
import { signersOf } from '../message/dkim.ts';
import { formatPercent, judgeRate, percentOf } from '../rates/judge-rates.ts';
import { deciding, type SetupJudgements, weakest } from './judge-setup.ts';
import type { Judgement, JudgementVerdict } from './judgement.ts';
import type { SendingSetup } from './sending-setup.ts';

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

/** @param counts of the last weeks */
export function bulkRules(report: SetupJudgements, setup: SendingSetup, counts: ComplaintsKnown): BulkRule[] {
  const { judgements, senders } = report;
  const of = (id: string): Judgement[] => judgements.filter((one) => one.id === id);
  const keys = senders.map(({ domain, dkim }) => {
    // The judgements of own keys are in their order.
    const own = signersOf(setup.signers, domain);
    const passing = dkim.filter(({ verdict }) => verdict === 'pass');
    const rsa = dkim.find(({ verdict }, index) => verdict === 'pass' && own[index]?.algorithm !== 'ed25519-sha256');
    return rsa ?? (passing[0] === undefined ? dkim[0] : { ...passing[0], ...ED25519_ONLY });
  });
  return [
    rule(
      'spf',
      'SPF passes',
      senders.flatMap(({ spf }) => deciding(spf)),
    ),
    rule(
      'dkim',
      'DKIM signs every message',
      keys.filter((one) => one !== undefined),
    ),
    rule('dmarc', 'a DMARC policy, at least p=none', of('dmarc')),
    rule('alignment', 'From aligns with SPF or DKIM', of('alignment')),
    ptrRule(setup, of('ptr')),
    tlsRule(setup),
    rule('one-click', 'one-click unsubscribe (RFC 8058)', of('one-click')),
    {
      id: 'visible-link',
      rule: 'a visible link to unsubscribe in the message',
      verdict: 'pass',
      reason: 'an edition whose template shows none is not rendered',
    },
    spamRateRule(counts),
    {
      id: 'format',
      rule: 'messages follow RFC 5322',
      verdict: 'pass',
      reason: 'daywire writes one From, Date and Message-ID, and lines of at most 998 octets',
    },
    fromRule(setup),
  ];
}

/** RFC 8463 §3 is younger than many verifiers, which treat such a signature as none. */
const ED25519_ONLY = {
  verdict: 'unknown',
  message: 'only an Ed25519 key is right, which few mailbox providers verify: sign with an RSA key, too',
} as const;

function rule(id: string, text: string, judgements: readonly Judgement[]): BulkRule {
  const verdict = weakest(judgements);
  const deciding = judgements.filter((one) => one.verdict === verdict);
  const reason = [...new Set(deciding.map(({ message }) => message))].join('; ');
  return { id, rule: text, verdict, reason: reason === '' ? 'there is no newsletter' : reason };
}

function ptrRule({ provider, addresses }: SendingSetup, judgements: readonly Judgement[]): BulkRule {
  const text = 'the sending IP addresses have names that lead back to them (PTR)';
  if (provider === null || addresses.length > 0) return rule('ptr', text, judgements);
  const reason = `${provider.title} sends from IP addresses of its own, which are not checked`;
  return { id: 'ptr', rule: text, verdict: 'unknown', reason };
}

/** Gmail's policy of DMARC is quarantine, Yahoo's reject. */
function fromRule({ senders }: SendingSetup): BulkRule {
  const foreign = senders.filter(isLargeProvider);
  return {
    id: 'from',
    rule: 'no From at a mailbox provider such as Gmail or Yahoo',
    verdict: foreign.length > 0 ? 'fail' : 'pass',
    reason: foreign.length > 0 ? `From is at ${foreign.join(', ')}` : `From is at ${senders.join(', ')}`,
  };
}

function tlsRule({ provider }: SendingSetup): BulkRule {
  const reason =
    provider === null
      ? 'whether your mail server uses TLS towards mailbox providers is a setting of its own, such as ' +
        'smtp_tls_security_level = may of Postfix'
      : `whether ${provider.title} uses TLS towards mailbox providers is not checked`;
  return { id: 'tls', rule: 'mail is transmitted over TLS', verdict: 'unknown', reason };
}

function spamRateRule(counts: ComplaintsKnown): BulkRule {
  const about = { id: 'spam-rate', rule: `spam rate below ${SPAM_RATE_LIMIT} %` };
  if (counts !== null && 'problem' in counts) {
    return { ...about, verdict: 'unknown', reason: `complaints could not be counted: ${counts.problem}` };
  }
  if (counts === null || counts.delivered === 0) {
    return {
      ...about,
      verdict: 'unknown',
      reason: 'nothing is known of deliveries; Gmail shows it in Postmaster Tools',
    };
  }
  const { delivered, complaints } = counts;
  const limits = { alert: SPAM_RATE_LIMIT, pause: SPAM_RATE_LIMIT };
  const isReached = judgeRate('complaint', { events: complaints, messages: delivered }, limits) === 'pause';
  const percent = formatPercent(percentOf({ events: complaints, messages: delivered }));
  const numbers = `${complaints} complaints about ${delivered} messages in 30 days, ${percent} %`;
  if (isReached) return { ...about, verdict: 'fail', reason: numbers };
  // Gmail reports no single complaints, so none does not mean that there were none.
  return { ...about, verdict: 'unknown', reason: `${numbers}; Gmail shows its own rate in Postmaster Tools only` };
}
