/**
 * Groups failed deliveries by how they ended and by the server's words, so that one cause is one line, however many
 * recipients it concerns. Pure.
 */
import { redactAddresses } from '../transport/redact-addresses.ts';
import { CANCELLED, EXPIRED, OVER_LIMITS } from './delivery-outcome.ts';

/**
 * `failed`: refused for good, or the message could not be built. `expired`: not submitted in time. `over limits`: not in
 * time because of a daily limit. `cancelled`: with the operator's reason as its words.
 */
export type FailureKind = 'failed' | 'expired' | 'over limits' | 'cancelled';

export interface FailureGroup {
  kind: FailureKind;
  /** The server's reply, or another reason; without addresses, and with `#` for numbers and ids that differ. */
  words: string;
  count: number;
}

const LAST_ATTEMPT = '; the last attempt: ';

/** Splits the reason of a failed delivery into the kind of its end and the words of its cause. */
export function readFailureReason(reason: string | null): Pick<FailureGroup, 'kind' | 'words'> {
  if (reason === null || reason === '') return { kind: 'failed', words: 'no reason recorded' };
  if (reason.startsWith(EXPIRED)) {
    if (reason.includes(OVER_LIMITS)) return { kind: 'over limits', words: OVER_LIMITS };
    const at = reason.indexOf(LAST_ATTEMPT);
    if (at < 0) return { kind: 'expired', words: normaliseWords(reason.slice(EXPIRED.length)) || 'never tried' };
    return { kind: 'expired', words: normaliseWords(reason.slice(at + LAST_ATTEMPT.length)) };
  }
  if (reason.startsWith(CANCELLED)) return { kind: 'cancelled', words: normaliseWords(reason.slice(CANCELLED.length)) };
  return { kind: 'failed', words: normaliseWords(reason) };
}

/** Enough to tell replies apart; also bounds the work for each. */
const MAX_WORDS = 200;
const SERVER_NAME = /^.*? (?=answered: |closed the connection: )(?:answered: )?/;
// An enhanced status, or a reply code at the beginning or after white space: these are the words.
const STATUS = /(?<![\w.])(?:[245]\.\d{1,3}\.\d{1,3}(?![\w.]*\d)|(?<!\S)[245]\d\d(?=[ -]|$))/;
const IP_ADDRESS = /(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[\da-f]*:[\da-f]*:)[\da-f:]{4,39})(?![\w.]*\d)/i;
// A number, with its unit: a duration or a port. Or a word with at least four digits: a queue id, a hash, a host name
// that has an address in it.
const ID = /(?<!\w)\d+[a-z]{0,2}(?!\w)|(?<![\w.-])(?=(?:[\w.-]*?\d){4})[\w.-]+/;
const PARTS = new RegExp(`(${STATUS.source})|${IP_ADDRESS.source}|${ID.source}`, 'gi');

/** The words without what differs from recipient to recipient: addresses, numbers and ids. */
function normaliseWords(text: string): string {
  const words = redactAddresses(text).replace(SERVER_NAME, '').slice(0, MAX_WORDS).toWellFormed();
  return words.replace(PARTS, (_part, status: string | undefined) => status ?? '#').replace(/^[;,\s]+/, '');
}

/** The words of any further causes: a server can write something else for each recipient. */
const OTHER_WORDS = 'other reasons';
const MAX_GROUPS = 50;

/** Adds up failures by kind and words. Its memory is bounded. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>();

  /** @param reason of a failed delivery */
  add(reason: string | null, count = 1): void {
    const { kind, words } = readFailureReason(reason);
    const group = this.#group(kind, words);
    group.count += count;
  }

  /** The largest first. */
  list(): FailureGroup[] {
    return [...this.#groups.values()].sort(
      (a, b) => b.count - a.count || a.kind.localeCompare(b.kind) || a.words.localeCompare(b.words),
    );
  }

  #group(kind: FailureKind, words: string): FailureGroup {
    const isFull = this.#groups.size >= MAX_GROUPS && !this.#groups.has(`${kind} ${words}`);
    const key = isFull ? `${kind} ${OTHER_WORDS}` : `${kind} ${words}`;
    const group = this.#groups.get(key) ?? { kind, words: isFull ? OTHER_WORDS : words, count: 0 };
    this.#groups.set(key, group);
    return group;
  }
}
