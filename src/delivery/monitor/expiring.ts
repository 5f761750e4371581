/**
 * Deliveries that `delivery.perDay` lets expire: reported when they are queued, while an operator can still act.
 */
import type { RaisedAlert } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { fullEditionName } from '../../editions/queries.ts';
import { DAY, MINUTE, rfc3339 } from '../../lib/time.ts';
import { editionsPerDay } from '../limits/daily-limit.ts';

/** As the limit counts: a quarter of an hour counts until its last message is 24 hours old. */
const QUARTER = 15 * MINUTE;

interface QuarterCount {
  quarter: number;
  count: number;
}

export interface ExpiringEdition {
  edition: string;
  /** How many of its deliveries will expire, as it looks now. */
  expiring: number;
  /** When the last of them expires, epoch milliseconds. */
  until: number;
}

/**
 * Messages of editions that a limit in 24 hours allows until an instant. Pure.
 * @param counts messages that were submitted by the beginning of a quarter of an hour
 */
export function allowedUntil(perDay: number, counts: readonly QuarterCount[], now: number, until: number): number {
  const limit = editionsPerDay(perDay);
  const time = Math.max(0, until - now - QUARTER);
  const days = Math.floor(time / DAY);
  const rest = time - days * DAY;
  const counted = counts.filter(({ quarter }) => quarter + QUARTER + DAY > now + rest);
  return days * limit + Math.max(0, limit - counted.reduce((sum, { count }) => sum + count, 0));
}

/** Editions under delivery with deliveries that the limit lets expire. Those that closed first are submitted first. */
export async function findExpiring({ store, config }: Pick<AppContext, 'store' | 'config'>, now: number) {
  const { perDay } = config.delivery;
  if (perDay === undefined) return [];
  const counts = await store.db.selectFrom('submission_counts').select(['quarter', 'count']).execute();
  const editions = await store.reports
    .selectFrom('editions')
    .innerJoin('deliveries', 'deliveries.edition_id', 'editions.id')
    .select((e) => [e.fn.countAll<number>().as('pending'), e.fn.max('deliveries.expires_at').as('until')])
    .select(['newsletter', 'slot', 'revision', 'superseded_by as supersededBy'])
    .where('editions.delivery_state', '=', 'delivering')
    .where('deliveries.state', '=', 'pending')
    .groupBy(['editions.id', 'newsletter', 'slot', 'revision', 'superseded_by'])
    .orderBy('editions.id')
    .execute();
  const found: ExpiringEdition[] = [];
  let waiting = 0;
  for (const { pending, until, ...edition } of editions) {
    waiting += Number(pending);
    if (until === null) continue;
    const expiring = Math.min(Number(pending), waiting - allowedUntil(perDay, counts, now, until));
    if (expiring > 0) found.push({ edition: fullEditionName(edition), expiring, until });
  }
  return found;
}

/** Says in a sentence how many deliveries will expire, and why. */
export function expiringSentence({ edition, expiring, until }: ExpiringEdition): string {
  const what = expiring === 1 ? '1 delivery' : `${expiring} deliveries`;
  return `${what} of ${edition} will expire, since delivery.perDay allows too few messages until ${rfc3339(until)}`;
}

export function expiringAlert(one: ExpiringEdition): RaisedAlert {
  const message =
    `${expiringSentence(one)}. Set delivery.perDay to the quota of your account, and expireAfterHours of the ` +
    'newsletter to the time that an edition takes.';
  return { kind: 'expiring', subject: { edition: one.edition }, message };
}
