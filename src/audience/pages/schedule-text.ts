/** Schedules in words. */
import { toString as describeCron } from 'cronstrue';
import { type Locale, Markup } from '../../lib/locale/locale.ts';

/**
 * `Every day at 7:30 AM, Shanghai time`, with the subscriber's own time of delivery if the newsletter follows that.
 * @param cron five fields
 * @param deliverAt such as `07:00`
 */
export function scheduleText(cron: string, zone: string, locale: Locale, deliverAt?: string): string {
  // Phrases of the language: isolated as a whole, a long name in them would turn their words around.
  const values = { when: new Markup(cronText(cron, locale)), zone: new Markup(zoneText(zone, locale)) };
  if (deliverAt === undefined) return locale.text('schedule.zoned', values);
  const time = locale.clock(Date.parse(`1970-01-01T${deliverAt}Z`), 'UTC');
  return locale.text('schedule.localTime', { ...values, time });
}

/** `Shanghai time` for `Asia/Shanghai`. */
export function zoneText(zone: string, locale: Locale): string {
  const place = zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone;
  return zone === 'UTC' ? zone : locale.text('schedule.zoneTime', { place });
}

function cronText(cron: string, locale: Locale): string {
  const isEnglish = new Intl.Locale(locale.language).language === 'en';
  return usualText(cron, locale) ?? (isEnglish ? unusualText(cron) : null) ?? locale.text('schedule.other', { cron });
}

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** Minute, hours, day of the month; all days of the week, some, or from one to another. */
const USUAL = /^(\d\d?) (\d\d?(?:,\d\d?)*) (\*|\d\d?) \* (?:\*|([0-7](?:,[0-7])*)|([0-7])-([0-7]))$/;

/** Times on every day, on one day of the month, or on days of the week; null for anything else. */
function usualText(cron: string, locale: Locale): string | null {
  const numbers = cron.replace(/[a-z]{3,}/gi, (name) => `${WEEKDAYS.indexOf(name.slice(0, 3).toLowerCase())}`);
  const [, minute, hours, day, days, first, last] = USUAL.exec(numbers) ?? [];
  if (hours === undefined) return null;
  const inOrder = hours.split(',').sort((a, b) => Number(a) - Number(b));
  const clocks = inOrder.map((hour) => locale.clock(Date.UTC(1970, 0, 1, Number(hour), Number(minute)), 'UTC'));
  const times = locale.list(clocks);
  if (day !== '*') return (days ?? first) ? null : locale.text('schedule.monthly', { day: Number(day), times });
  // January 4, 1970, was a Sunday.
  const name = (one = ''): string => locale.date(Date.UTC(1970, 0, 4 + Number(one)), 'UTC', { weekday: 'long' });
  if (days !== undefined) return locale.text('schedule.days', { days: locale.list(days.split(',').map(name)), times });
  if (first === undefined) return locale.text('schedule.daily', { times });
  // From Friday to Sunday is `5-7` or `5-0`.
  if (Number(first) >= (Number(last) || 7)) return null;
  return locale.text('schedule.dayRange', { first: name(first), last: name(last), times });
}

/** In the words of cronstrue, whose other languages have many mistakes; null if it is no schedule. */
function unusualText(cron: string): string | null {
  try {
    // Names of days and months may be written out in a schedule, but not for cronstrue.
    const short = cron.replace(/[a-z]{3,}/gi, (name) => name.slice(0, 3));
    return describeCron(short, { verbose: true, logicalAndDayFields: true });
  } catch {
    return null;
  }
}
