/** Ends the alerts about complaint and bounce rates. */
import type { AlertId, AlertSubject } from '../../core/alerts/alert-kind.ts';
import { listOpenAlerts, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { Db } from '../../core/store/store.ts';
import { DAY } from '../../lib/time.ts';
import type { RateKind } from './judge-rates.ts';
import { RATE_ALERTS, rateAlert, readRateSubject } from './rate-alerts.ts';
import { listNotices, type RateNotice } from './rate-notices.ts';

/** How long after its close the rates of an edition are watched: nearly all complaints come within two days. */
export const RATES_WATCHED = 7 * DAY;
/** How long an alert lasts at least, and how old a later edition must be that shows that the rate is low again. */
const GRACE = DAY;
/** Later editions that are looked at. */
const LATER = 10;

/**
 * Resolves the alerts that are over. One about something that is paused stays until it is resumed or cancelled. Others
 * end when a later edition of the newsletter is a day old without such a rate, or when its rates are no longer watched.
 */
export async function resolveRateAlerts(db: Db, now: number): Promise<void> {
  const over: AlertId[] = [];
  for (const kind of ['complaint', 'bounce'] as const) {
    for (const alert of await listOpenAlerts(db, RATE_ALERTS[kind])) {
      if (await isOver(db, kind, alert.subject, now)) over.push(alert);
    }
  }
  await resolveAlerts(db, over, now);
}

/** Resolves the alerts of an edition: the operator has decided. @param scope default: of all scopes */
export async function endRateAlerts(db: Db, editionId: number, now: number, scope?: string): Promise<void> {
  const notices = (await listNotices(db, [editionId])).filter((one) => scope === undefined || one.scope === scope);
  if (notices.length === 0) return;
  const edition = await editions(db).where('id', '=', editionId).executeTakeFirst();
  if (edition === undefined) return;
  await resolveAlerts(
    db,
    notices.map((one) => rateAlert(one.kind, edition, one.scope)),
    now,
  );
}

async function isOver(db: Db, kind: RateKind, subject: AlertSubject, now: number): Promise<boolean> {
  const { newsletter, slot, revision, scope } = readRateSubject(subject);
  const edition = await editions(db)
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .where('revision', '=', revision)
    .executeTakeFirst();
  if (edition === undefined) return true;
  const isOfAlert = (one: RateNotice) => one.kind === kind && one.scope === scope;
  const own = (await listNotices(db, [edition.id])).filter(isOfAlert);
  if (own.some(({ level }) => level === 'pause') && scope === '' && edition.state === 'paused') return false;
  if (own.some(({ at }) => now - at < GRACE)) return false;
  if (now - edition.closedAt >= RATES_WATCHED) return true;
  const later = await editions(db)
    .where('newsletter', '=', newsletter)
    .where('superseded_by', 'is', null)
    .where('number', '>', edition.number)
    .orderBy('number', 'desc')
    .limit(LATER)
    .execute();
  const old = later.filter(({ closedAt }) => now - closedAt >= GRACE);
  const notices = await listNotices(
    db,
    old.map(({ id }) => id),
  );
  return old.some(({ id }) => !notices.some((one) => one.editionId === id && isOfAlert(one)));
}

function editions(db: Db) {
  return db
    .selectFrom('editions')
    .select(['id', 'newsletter', 'slot', 'number', 'revision', 'closed_at as closedAt', 'delivery_state as state']);
}
