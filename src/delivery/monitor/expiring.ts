/**
 * Deliveries that `delivery.perDay` or `delivery.warmUp` lets expire: reported when they are queued, while an operator
 * can still act.
 */
import { sql } from 'kysely';
import { Temporal } from 'temporal-polyfill';
import { listOpenAlerts, type RaisedAlert } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { fullEditionName, listEditions } from '../../editions/queries.ts';
import { DAY, localDate, MINUTE, rfc3339 } from '../../lib/time.ts';
import {
  countEditionsSince,
  editionsPerDay,
  type LimitConfig,
  midnightOf,
  warmUpLimit,
} from '../limits/daily-limit.ts';
import { OVER_LIMITS } from '../queue/delivery-outcome.ts';
import { readDeliveryStates } from '../queue/queries.ts';

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
  /** The key of the limit. */
  limit: Allowance['limit'];
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

interface Allowance {
  allowed: number;
  limit: 'delivery.perDay' | 'delivery.warmUp';
}

/**
 * Messages of editions that the limits allow until an instant, and the limit that allows fewest. Pure.
 * @param today number of messages of editions since midnight
 */
export function allowanceUntil(
  { delivery: { perDay, warmUp }, publication: { zone } }: LimitConfig,
  { counts, today }: { counts: readonly QuarterCount[]; today: number },
  now: number,
  until: number,
): Allowance {
  const ofDays = perDay === undefined ? Number.POSITIVE_INFINITY : allowedUntil(perDay, counts, now, until);
  let ofWarmUp = warmUp === undefined ? Number.POSITIVE_INFINITY : -today;
  let day = Temporal.PlainDate.from(localDate(now, zone));
  while (warmUp !== undefined && ofWarmUp < ofDays && midnightOf(day.toString(), zone) < until) {
    ofWarmUp = Math.max(0, ofWarmUp + (warmUpLimit(warmUp, day.toString()) ?? Number.POSITIVE_INFINITY));
    day = day.add({ days: 1 });
  }
  return ofWarmUp < ofDays
    ? { allowed: ofWarmUp, limit: 'delivery.warmUp' }
    : { allowed: ofDays, limit: 'delivery.perDay' };
}

/** Editions under delivery with deliveries that a limit lets expire. Those that closed first are submitted first. */
export async function findExpiring({ store, config }: Pick<AppContext, 'store' | 'config'>, now: number) {
  const { perDay, warmUp } = config.delivery;
  if (perDay === undefined && warmUp === undefined) return [];
  const counts = await store.db.selectFrom('submission_counts').select(['quarter', 'count']).execute();
  const { zone } = config.publication;
  const today = await countEditionsSince(store.db, midnightOf(localDate(now, zone), zone), now);
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
    const { allowed, limit } = allowanceUntil(config, { counts, today }, now, until);
    const expiring = Math.min(Number(pending), waiting - Math.max(0, allowed));
    if (expiring > 0) found.push({ edition: fullEditionName(edition), expiring, limit, until });
  }
  return found;
}

/** Says in a sentence how many deliveries will expire, and why. */
export function expiringSentence({ edition, expiring, limit, until }: ExpiringEdition): string {
  const what = expiring === 1 ? '1 delivery' : `${expiring} deliveries`;
  return `${what} of ${edition} will expire, since ${limit} allows too few messages until ${rfc3339(until)}`;
}

export function expiringAlert(one: ExpiringEdition): RaisedAlert {
  const quota = one.limit === 'delivery.perDay' ? 'delivery.perDay to the quota of your account, and ' : '';
  const advice = `Set ${quota}the newsletter's expireAfterHours to the time that an edition takes.`;
  const message = `${expiringSentence(one)}. ${advice}`;
  return { kind: 'expiring', subject: { edition: one.edition }, message };
}

/** Those of the open alerts whose deliveries have expired: until a retry, or until a later edition is done. */
export async function findExpired({ store }: AppContext, expiring: readonly RaisedAlert[]): Promise<RaisedAlert[]> {
  const found: RaisedAlert[] = [];
  for (const { kind, subject } of await listOpenAlerts(store.db, 'expiring')) {
    if (expiring.some((one) => one.subject.edition === subject.edition)) continue;
    const name = String(subject.edition);
    const editions = await listEditions(store.db, name.split('/')[0] as string, 10);
    const [edition, ...later] = editions
      .slice(0, 1 + editions.findIndex((one) => fullEditionName(one) === name))
      .reverse();
    const states = await readDeliveryStates(store.db, [0, ...later.map(({ id }) => id)]);
    if (edition === undefined || states.some(({ state }) => state === 'done')) continue;
    // A literal, so that the partial index deliveries_failed is used.
    const { rows } = await sql<{ count: number }>`select count(*) as count from deliveries
      where edition_id = ${edition.id} and state = 'failed' and reason like ${`%${OVER_LIMITS}%`}`.execute(
      store.reports,
    );
    const count = Number(rows[0]?.count);
    if (count === 0) continue;
    const message = `${count === 1 ? '1 delivery' : `${count} deliveries`} of ${name} expired: ${OVER_LIMITS}.`;
    found.push({ kind, subject, message, actions: [editionAction('retry', 'deliver them', name)] });
  }
  return found;
}
