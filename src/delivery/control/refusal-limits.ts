/**
 * Decides when refusals of single recipients mean that the server, or one domain, refuses everyone: further attempts
 * would fail the whole list. Pure. docs/decisions/2026-11-26-circuit-breaker.md has the reasons for the limits.
 */
import type { RefusalKind } from '../../core/store/tables.ts';

/** Refused recipients without a success since. Each recipient is counted once. */
export interface RefusalGroup {
  domain: string;
  kind: RefusalKind;
  /** Whether an earlier attempt of the same deliveries failed, too. */
  repeated: boolean;
  count: number;
}

export interface EditionFacts {
  /** Whether anyone has got the edition, in any run. */
  isAnyAccepted: boolean;
  /** Its deliveries that are not suppressed; counted up to `FIRST_LIMIT`. */
  recipients: number;
}

/** `back-off`: the refusals are temporary. */
export type RefusalDecision = 'continue' | 'pause' | 'back-off';

/** The kinds of refusals that fail a delivery. */
export const FINAL_KINDS: readonly RefusalKind[] = ['policy', 'permanent'];
/** The kinds after which a delivery is retried, without the risk of a second copy. */
export const PASSING_KINDS: readonly RefusalKind[] = ['throttled', 'temporary'];

/** Refused recipients before the first success. */
export const FIRST_LIMIT = 20;
/** Refused recipients in a row after a success. */
const LATER_LIMIT = 50;
// Refusals by policy, and 421, are rare if the server accepts any of our mail.
const FIRST_POLICY_LIMIT = 3;
const LATER_POLICY_LIMIT = 5;
// Of fewer recipients, each is retried by itself: greylisting refuses everyone for some minutes.
const MIN_TO_BACK_OFF = 3;
const MIN_OF_ONE_DOMAIN = 3;
const SERVICE_LIMIT = 5;

/**
 * What the refusals in a row of an edition mean for all of it.
 *
 * Once anyone has got the edition, recipients that were refused before do not count again, except by policy: retries,
 * and an edition that is resumed or retried, may reach nobody else.
 */
export function decideEdition(refusals: readonly RefusalGroup[], facts: EditionFacts): RefusalDecision {
  const { isAnyAccepted } = facts;
  const byPolicy = refusals.filter(({ kind }) => kind === 'policy' || kind === 'throttled');
  const policyLimit = isAnyAccepted ? LATER_POLICY_LIMIT : FIRST_POLICY_LIMIT;
  if (sum(byPolicy) >= policyLimit && (!isAnyAccepted || countDomains(byPolicy) > 1)) return mainly(byPolicy);
  const counted = countedOf(refusals, facts);
  const limit = isAnyAccepted ? LATER_LIMIT : Math.min(FIRST_LIMIT, facts.recipients);
  if (countDomains(counted) < 2 || sum(counted) < limit) return 'continue';
  const decision = mainly(counted);
  return decision === 'back-off' && sum(counted) < MIN_TO_BACK_OFF ? 'continue' : decision;
}

/**
 * What the permanent refusals by one domain mean for its other recipients.
 * @param refusals of that domain since it accepted a message of the edition
 * @param facts.isDomainAccepted whether anyone of the domain has got the edition
 */
export function decideDomain(
  refusals: readonly RefusalGroup[],
  facts: EditionFacts & { isDomainAccepted: boolean },
): 'continue' | 'pause' {
  const counted = countedOf(refusals, facts).filter(isFinal);
  const count = sum(counted);
  if (sum(counted.filter(({ kind }) => kind === 'policy')) >= FIRST_LIMIT) return 'pause';
  if (count >= (facts.isDomainAccepted ? LATER_LIMIT : FIRST_LIMIT)) return 'pause';
  // An edition for one domain only.
  const isWholeEdition = !facts.isAnyAccepted && count >= facts.recipients;
  return isWholeEdition && count >= MIN_OF_ONE_DOMAIN ? 'pause' : 'continue';
}

/** Whether service messages are refused for everyone. @param domains of distinct recipients in a row */
export function areServiceMessagesRefused(domains: readonly string[]): boolean {
  return domains.length >= SERVICE_LIMIT && new Set(domains).size > 1;
}

function countedOf(refusals: readonly RefusalGroup[], { isAnyAccepted }: EditionFacts): RefusalGroup[] {
  return refusals.filter(({ repeated }) => !isAnyAccepted || !repeated);
}

function mainly(refusals: readonly RefusalGroup[]): RefusalDecision {
  return sum(refusals.filter(isFinal)) * 2 > sum(refusals) ? 'pause' : 'back-off';
}

function isFinal({ kind }: RefusalGroup): boolean {
  return FINAL_KINDS.includes(kind);
}

function sum(refusals: readonly RefusalGroup[]): number {
  return refusals.reduce((total, { count }) => total + count, 0);
}

function countDomains(refusals: readonly RefusalGroup[]): number {
  return new Set(refusals.map(({ domain }) => domain)).size;
}
