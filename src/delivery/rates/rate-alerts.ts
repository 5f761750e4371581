/**
 * The alerts about complaint and bounce rates: subjects, words, and when they end; and the notices of rates. Each level
 * is noticed once for an edition (a revision), a kind, and all recipients or one mailbox provider, so that what an
 * operator has resumed is not paused again for the same.
 */
import type { MailboxProvider } from '../../audience/mailbox-providers.ts';
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import { listOpenAlerts, type RaisedAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { Db, Tx } from '../../core/store/store.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { type EditionSummary, fullEditionName } from '../../editions/queries.ts';
import { DAY } from '../../lib/time.ts';
import { pauseIfDelivering } from '../control/edition-control.ts';
import { hasOpenDeliveries } from '../queue/outbox.ts';
import {
  formatPercent,
  knownMessages,
  percentOf,
  RATE_KINDS,
  type RateCounts,
  type RateKind,
  type RateLevel,
} from './judge-rates.ts';

const ALERT_KINDS: Record<RateKind, string> = { complaint: 'complaints', bounce: 'bounces' };

/** Fields that identify a revision of an edition for people, also after it was reissued. */
type NamedRevision = Pick<EditionSummary, 'newsletter' | 'slot' | 'revision'>;

export interface ReachedRate {
  kind: RateKind;
  counts: RateCounts;
  /** Null: all recipients. */
  provider: MailboxProvider | null;
}

/** @param scope a mailbox provider's id; empty for all recipients */
function alertId(kind: RateKind, { newsletter, slot, revision }: NamedRevision, scope: string): AlertId {
  return { kind: ALERT_KINDS[kind], subject: { newsletter, slot, revision, scope } };
}

/** `9 of 3000 recipients complained (0.3 %)`: the reason of a pause. */
export function rateSentence({ kind, counts, provider }: ReachedRate): string {
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

/** What was done: the edition was paused now or before, or its delivery is over; null: nothing is to be paused. */
export type PauseEffect = 'paused' | 'before' | 'over' | null;

/**
 * What happened, what it means, what was done and what to do next.
 * @param waiting number of deliveries that wait after a pause of the edition
 */
export function rateAlert(
  edition: NamedRevision & Pick<EditionSummary, 'supersededBy'>,
  reached: ReachedRate,
  effect: PauseEffect,
  waiting: number,
): Required<RaisedAlert> {
  const { kind, provider } = reached;
  const name = fullEditionName(edition);
  const numbers = editionAction('show', 'see the numbers', name);
  const first = 'Before the next edition, which goes to the same people,';
  const once = 'Once it is resumed, the same rate pauses nothing again.';
  const decide = [editionAction('resume', 'continue after the check', name), editionAction('cancel', 'end it', name)];
  const [done, check, after, actions] = {
    paused: [
      `Its delivery is paused: ${waiting === 1 ? '1 delivery waits' : `${waiting} deliveries wait`}.`,
      'First',
      once,
      decide,
    ],
    before: ['It was paused already.', first, once, decide],
    over: [
      `The delivery of ${name} is over, so nothing of it can be paused.`,
      first,
      '',
      [editionAction('hold', 'keep the next one from closing until then', edition.newsletter)],
    ],
    none: ['Nothing is paused.', first, '', []],
  }[effect ?? 'none'] as [string, string, string, typeof decide];
  return {
    ...alertId(kind, edition, provider?.id ?? ''),
    message: [`${name}: ${rateSentence(reached)}.`, MEANING[kind], done, `${check} check ${CHECKS[kind]}.`, after]
      .join(' ')
      .trimEnd(),
    actions: [numbers, ...actions],
  };
}

/** How long after its close the rates of an edition are watched: nearly all complaints come within two days. */
export const RATES_WATCHED = 7 * DAY;

/**
 * Resolves the alerts that are over. Those of a paused edition last until it is resumed or cancelled. Others last for a
 * day, and then until a later edition of the newsletter is a day old, or the rates are no longer watched.
 */
export async function resolveRateAlerts(db: Db, now: number): Promise<void> {
  for (const kind of RATE_KINDS) {
    for (const alert of await listOpenAlerts(db, ALERT_KINDS[kind])) {
      if (now - alert.firstAt >= DAY && (await isOver(db, alert, now))) await resolveAlerts(db, [alert], now);
    }
  }
}

async function isOver(db: Db, { subject }: AlertId, now: number): Promise<boolean> {
  const editions = db.selectFrom('editions').where('newsletter', '=', String(subject.newsletter));
  const edition = await editions
    .select(['number', 'closed_at as closedAt', 'delivery_state as state'])
    .where('slot', '=', String(subject.slot))
    .where('revision', '=', Number(subject.revision))
    .executeTakeFirst();
  if (edition === undefined) return true;
  if (edition.state === 'paused') return false;
  if (now - edition.closedAt >= RATES_WATCHED) return true;
  const later = await editions
    .select('id')
    .where('number', '>', edition.number)
    .where('closed_at', '<=', now - DAY)
    .limit(1)
    .executeTakeFirst();
  return later !== undefined;
}

/** Resolves the alerts of an edition: the operator has decided. */
export async function endRateAlerts(db: Db, editionId: number, now: number): Promise<void> {
  const notices = await db
    .selectFrom('rate_notices')
    .innerJoin('editions', 'editions.id', 'rate_notices.edition_id')
    .select(['kind', 'scope', 'newsletter', 'slot', 'revision'])
    .where('edition_id', '=', editionId)
    .execute();
  const alerts = notices.map((one) => alertId(one.kind, one, one.scope));
  await resolveAlerts(db, alerts, now);
}

export interface RateNotice {
  editionId: number;
  kind: RateKind;
  /** The id of a mailbox provider; empty for all recipients. */
  scope: string;
  level: RateLevel;
  percent: number;
  messages: number;
  /** Epoch milliseconds. */
  at: number;
}

/** The notices of an edition, in the order in which they were noticed. */
export function listNotices(db: Db, editionId: number): Promise<RateNotice[]> {
  return db
    .selectFrom('rate_notices')
    .select(['edition_id as editionId', 'kind', 'scope', 'level', 'percent', 'messages', 'at'])
    .where('edition_id', '=', editionId)
    .orderBy('at')
    .orderBy('kind')
    .orderBy('scope')
    .orderBy('level')
    .execute();
}

/** Records that a level is reached, and the levels below it. @returns false if it was noticed before */
export async function recordNotice(
  tx: Tx,
  { editionId, kind, scope, level }: Pick<RateNotice, 'editionId' | 'kind' | 'scope' | 'level'>,
  counts: RateCounts,
  now: number,
): Promise<boolean> {
  const messages = knownMessages(counts);
  const notice = { edition_id: editionId, kind, scope, percent: percentOf(counts), messages, at: now };
  const levels: RateLevel[] = level === 'pause' ? ['alert', 'pause'] : ['alert'];
  const added = await tx
    .insertInto('rate_notices')
    .values(levels.map((one) => ({ ...notice, level: one })))
    .onConflict((conflict) => conflict.columns(['edition_id', 'kind', 'scope', 'level']).doNothing())
    .returning('level')
    .execute();
  return added.some((row) => row.level === level);
}

/** Pauses an edition, if any of its deliveries is open. @param reason for the operator */
export async function pauseForRate(tx: Tx, editionId: number, reason: string): Promise<PauseEffect> {
  // An edition without open deliveries is about to be done, which a pause would prevent.
  if ((await hasOpenDeliveries(tx, editionId)) && (await pauseIfDelivering(tx, editionId, reason))) return 'paused';
  const { state } = await tx
    .selectFrom('editions')
    .select('delivery_state as state')
    .where('id', '=', editionId)
    .executeTakeFirstOrThrow();
  return state === 'paused' ? 'before' : 'over';
}
