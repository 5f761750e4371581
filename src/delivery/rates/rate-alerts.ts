/**
 * The alerts about complaint and bounce rates: subjects and words. Pure.
 */
import type { MailboxProvider } from '../../audience/mailbox-providers.ts';
import type { Action } from '../../core/actions.ts';
import type { AlertId, AlertSubject } from '../../core/alerts/alert-kind.ts';
import type { RaisedAlert } from '../../core/alerts/alerts.ts';
import { editionAction } from '../../editions/edition-action.ts';
import {
  formatPercent,
  knownMessages,
  percentOf,
  type RateCounts,
  type RateKind,
  type RateLevel,
} from './judge-rates.ts';
import type { PauseEffect } from './rate-notices.ts';

export const RATE_ALERTS: Record<RateKind, string> = { complaint: 'complaints', bounce: 'bounces' };

/** What identifies a revision of an edition for people, also after it was reissued. */
export interface NamedRevision {
  newsletter: string;
  slot: string;
  revision: number;
}

/** @param scope a mailbox provider's id; empty for all recipients */
export function rateAlert(kind: RateKind, { newsletter, slot, revision }: NamedRevision, scope: string): AlertId {
  return { kind: RATE_ALERTS[kind], subject: { newsletter, slot, revision, scope } };
}

/** The reverse of `rateAlert`. */
export function readRateSubject({ newsletter, slot, revision, scope }: AlertSubject) {
  return { newsletter: String(newsletter), slot: String(slot), revision: Number(revision), scope: String(scope) };
}

export interface ReachedRate {
  kind: RateKind;
  level: RateLevel;
  counts: RateCounts;
  /** Null: all recipients. */
  provider: MailboxProvider | null;
}

/** `9 of 3000 recipients complained (0.3 %)`: the reason of a pause. */
export function rateSentence({ kind, counts, provider }: Omit<ReachedRate, 'level'>): string {
  const who = provider === null ? 'recipients' : `recipients at ${provider.name}`;
  const what = kind === 'complaint' ? 'complained' : 'could not be reached';
  return `${counts.events} of ${knownMessages(counts)} ${who} ${what} (${formatPercent(percentOf(counts))} %)`;
}

const MEANING: Record<RateKind, string> = {
  complaint:
    'Gmail and Yahoo ask senders to stay below 0.1 %, and filter or refuse the mail of those above 0.3 %, ' +
    'also that to people who want it.',
  bounce:
    'Mail providers review or suspend senders above 5 %, and mailbox providers take many unknown recipients ' +
    'for the sign of a bought list.',
};

const CHECKS: Record<RateKind, string> = {
  complaint:
    'who was added to the list lately and how they agreed, whether its unsubscribe link works, and what is different ' +
    'in this edition',
  bounce: 'where these addresses come from, such as an old list that was imported lately',
};

/**
 * What happened, what it means, what was done and what to do next.
 * @param name of the edition in commands
 * @param effect null where the level pauses nothing
 */
export function rateWarning(
  reached: ReachedRate,
  {
    name,
    newsletter,
    effect,
    waiting,
  }: {
    name: string;
    newsletter: string;
    effect: PauseEffect | null;
    /** Number of deliveries that wait after a pause of the edition. */
    waiting: number;
  },
): Required<Pick<RaisedAlert, 'message' | 'actions'>> {
  const { kind, provider } = reached;
  const message = [
    `${name}: ${rateSentence(reached)}.`,
    MEANING[kind],
    done(effect, { name, provider, waiting }),
    `${effect === 'paused' ? 'First' : 'Before the next edition, which goes to the same people,'} check ` +
      `${CHECKS[kind]}.`,
    ...(effect === 'paused' || effect === 'before' ? ['Once it is resumed, the same rate pauses nothing again.'] : []),
  ].join(' ');
  return { message, actions: next(effect, { name, newsletter, provider }) };
}

function done(
  effect: PauseEffect | null,
  { name, provider, waiting }: { name: string; provider: MailboxProvider | null; waiting: number },
): string {
  const others = provider === null ? '' : ` to ${provider.name}`;
  switch (effect) {
    case null:
      return 'Nothing is paused.';
    case 'paused':
      return provider === null
        ? `Its delivery is paused: ${waiting === 1 ? '1 delivery waits' : `${waiting} deliveries wait`}.`
        : `Its deliveries${others} are paused; all others continue. Unless resumed, they expire with the edition.`;
    case 'before':
      return 'It was paused already.';
    case 'over':
      return `The delivery of ${name} is over, so nothing of it can be paused.`;
  }
}

function next(
  effect: PauseEffect | null,
  { name, newsletter, provider }: { name: string; newsletter: string; provider: MailboxProvider | null },
): Action[] {
  const numbers = editionAction('show', 'see the numbers', name);
  switch (effect) {
    case null:
      return [numbers];
    case 'over':
      return [numbers, editionAction('hold', 'keep the next one from closing until then', newsletter)];
    case 'paused':
    case 'before': {
      const resume = editionAction('resume', 'continue after the check', name);
      const isWhole = provider === null || effect === 'before';
      return isWhole ? [numbers, resume, editionAction('cancel', 'end it', name)] : [numbers, resume];
    }
  }
}
