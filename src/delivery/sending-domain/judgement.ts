/** One judgement about the sending domain. */
import { boundedLine } from '../../lib/text/clean-text.ts';

export type JudgementVerdict = 'pass' | 'fail' | 'unknown';

export interface Judgement {
  /** Subject of the judgement, such as `spf` or `mx`. */
  id: string;
  /** The domain or IP address that it is about. */
  domain: string;
  verdict: JudgementVerdict;
  /** For operators: what was found, and what would be right. */
  message: string;
}

/** Longest message, UTF-16 code units: records of others are quoted in it, and our key of DKIM is. */
const MESSAGE_LIMIT = 1_500;

/** Makes the judgements of one kind about one domain. */
export function judgementsOf(id: string, domain: string) {
  const judge = (verdict: JudgementVerdict) => (message: string) => ({
    id,
    domain,
    verdict,
    message: boundedLine(message, MESSAGE_LIMIT),
  });
  const unknown = judge('unknown');
  return {
    pass: judge('pass'),
    fail: judge('fail'),
    unknown,
    /** A look-up failed: nothing is known, so nothing is missing. */
    notFound: (asked: string, reason: string) => unknown(`${asked} could not be looked up: ${reason}`),
  };
}

/** The verdict of all together. Unknown if there is none. */
export function weakest(judgements: readonly Pick<Judgement, 'verdict'>[]): JudgementVerdict {
  const verdicts = judgements.map(({ verdict }) => verdict);
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.length === 0 || verdicts.includes('unknown') ? 'unknown' : 'pass';
}

/** A record of somebody else's, as it is quoted in messages. */
export function quoted(text: string): string {
  return `"${boundedLine(text, 300)}"`;
}

/** Whether a name is one of the domains or below one. */
export function isBelow(name: string, domains: readonly string[]): boolean {
  return domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
}
