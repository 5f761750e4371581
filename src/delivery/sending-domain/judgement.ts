/**
 * One judgement about the sending domain.
 */
import { boundedLine } from '../../lib/text/clean-text.ts';
import type { ZoneRecord } from './zone-record.ts';

export type JudgementVerdict = 'pass' | 'fail' | 'unknown';

export interface Judgement {
  /** What is judged, such as `spf` or `mx-tls`. One domain has at most one judgement of an id, except `dkim`. */
  id: string;
  /** The domain or IP address that it is about. */
  domain: string;
  verdict: JudgementVerdict;
  /** For operators: what was found, and what would be right. */
  message: string;
  /** The record that is missing or wrong, as it should be. */
  record?: ZoneRecord;
}

/** Longest message, UTF-16 code units: records of others are quoted in it. */
const MESSAGE_LIMIT = 1_000;

export function judge(
  verdict: JudgementVerdict,
  { id, domain }: Pick<Judgement, 'id' | 'domain'>,
  message: string,
  record?: ZoneRecord,
): Judgement {
  const judgement = { id, domain, verdict, message: boundedLine(message, MESSAGE_LIMIT) };
  return record === undefined ? judgement : { ...judgement, record };
}

/** The judgement where a look-up failed: nothing is known, so nothing is missing. */
export function notKnown(about: Pick<Judgement, 'id' | 'domain'>, asked: string, reason: string): Judgement {
  return judge('unknown', about, `${asked} could not be looked up: ${reason}`);
}

/** A record of somebody else's, as it is quoted in messages. */
export function quoted(text: string): string {
  return `"${boundedLine(text, 300)}"`;
}
