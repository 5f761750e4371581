/**
 * The sentence before an edition goes out: to how many, and when. Pure.
 */

import type { Temporal } from 'temporal-polyfill';
import { countSubscriptions } from '../../../audience/subscriptions.ts';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import type { Db } from '../../../core/store/store.ts';
import { formatDuration, MINUTE, SECOND, wallClock } from '../../../lib/time.ts';
import { formatCount } from '../../../web/desk/parts/figure.ts';

export interface SendingTerms {
  /** Confirmed subscriptions to the newsletter. */
  count: number;
  /** IANA name of the publication's zone. */
  zone: string;
  /** Time of day at which copies are due in the subscribers' own zones, such as `07:30`; undefined: at once. */
  deliverAt?: string | undefined;
}

/** `to 1,204 subscribers, today 07:30 Asia/Shanghai`. @param at when the edition closes; not after `now`: at once */
export function slotSentence(terms: SendingTerms, at: number, now: number): string {
  const when = at <= now ? 'at once' : `${sendingTime(at, now, terms.zone)} ${terms.zone}`;
  return `to ${recipients(terms.count)}, ${when}${localTime(terms)}`;
}

/** `to 1,204 subscribers, now, after a countdown of 60 s`. @param countdown milliseconds */
export function countdownSentence(terms: SendingTerms, countdown: number): string {
  const after = countdown === 0 ? '' : `, after a countdown of ${countdownText(countdown)}`;
  return `to ${recipients(terms.count)}, now${after}${localTime(terms)}`;
}

/** `60 s`, `5 min`. */
function countdownText(milliseconds: number): string {
  return milliseconds < 2 * MINUTE ? `${milliseconds / SECOND} s` : formatDuration(milliseconds);
}

/**
 * `today 07:30`, `tomorrow 07:30`, `Friday 07:30` within a week, and otherwise with the date. An hour that the clocks
 * repeat is told apart by its offset from UTC.
 */
export function sendingTime(at: number, now: number, zone: string): string {
  const [then, today] = [wallClock(at, zone), wallClock(now, zone)];
  const days = today.toPlainDate().until(then.toPlainDate()).days;
  const time = then.toPlainTime().toString({ smallestUnit: 'minute' });
  const offset = isRepeated(then) ? ` (UTC${then.offset})` : '';
  return `${dayName(then.toPlainDate(), days)} ${time}${offset}`;
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

function dayName(date: Temporal.PlainDate, days: number): string {
  if (days === 0) return 'today';
  if (days === 1) return 'tomorrow';
  const weekday = WEEKDAYS[date.dayOfWeek - 1] as string;
  return days > 1 && days < 7 ? weekday : `${weekday} ${date.toString()}`;
}

function isRepeated(then: Temporal.ZonedDateTime): boolean {
  const local = then.toPlainDateTime();
  const [first, second] = (['earlier', 'later'] as const).map(
    (disambiguation) => local.toZonedDateTime(then.timeZoneId, { disambiguation }).epochMilliseconds,
  );
  return first !== second;
}

function recipients(count: number): string {
  return count === 1 ? '1 subscriber' : `${formatCount(count)} subscribers`;
}

function localTime({ deliverAt }: SendingTerms): string {
  return deliverAt === undefined ? '' : `; delivered at ${deliverAt} in each subscriber’s time zone`;
}

/** What the count includes. */
export const RECIPIENTS_MEANING =
  'The count is of confirmed subscriptions now. Suppressed and paused ones among them are left out at delivery.';

/** Confirmed subscriptions to the newsletter now, by the maintained counts: a few look-ups, however many there are. */
export async function countConfirmedSubscriptions(db: Db, { id }: Pick<NewsletterConfig, 'id'>): Promise<number> {
  const counts = await countSubscriptions(db);
  return counts.find(({ newsletter, state }) => newsletter === id && state === 'confirmed')?.count ?? 0;
}
