/** Schedules in words. */
import { createRequire } from 'node:module';
import { toString as describeCron } from 'cronstrue';
import { fallbacks, type Locale } from '../../lib/locale/locale.ts';

const require = createRequire(import.meta.url);

/**
 * `Every day at 07:30 AM, Shanghai time`.
 * @param cron five fields
 */
export function scheduleText(cron: string, zone: string, locale: Locale): string {
  return locale.text('schedule.zoned', { when: cronText(cron, locale), zone: zoneText(zone, locale) });
}

/**
 * When a newsletter is delivered: as above, with the subscriber's own time if it follows that.
 * @param deliverAt such as `07:00`
 */
export function deliveryText(cron: string, zone: string, deliverAt: string | undefined, locale: Locale): string {
  if (deliverAt === undefined) return scheduleText(cron, zone, locale);
  const time = locale.clock(Date.parse(`1970-01-01T${deliverAt}Z`), 'UTC');
  return locale.text('schedule.localTime', { when: cronText(cron, locale), zone: zoneText(zone, locale), time });
}

/** `Shanghai time` for `Asia/Shanghai`. */
export function zoneText(zone: string, locale: Locale): string {
  const place = zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone;
  return zone === 'UTC' ? zone : locale.text('schedule.zoneTime', { place });
}

function cronText(cron: string, locale: Locale): string {
  return usualText(cron, locale) ?? unusualText(cron, locale) ?? locale.text('schedule.other', { cron });
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

/** Languages that have other names in cronstrue. */
const RENAMED: Record<string, string> = { pt: 'pt_PT', zh: 'zh_CN', 'zh-Hant': 'zh_TW' };

/** In the words of cronstrue; null if it is no schedule. */
function unusualText(cron: string, locale: Locale): string | null {
  // Names of days and months may be written out in a schedule, but not for cronstrue.
  const short = cron.replace(/[a-z]{3,}/gi, (name) => name.slice(0, 3));
  const isEnglish = new Intl.Locale(locale.language).language === 'en';
  // It takes 0.1 s to load.
  const all: typeof import('cronstrue/dist/cronstrue-i18n.js') | null = isEnglish ? null : require('cronstrue/i18n');
  const names = fallbacks(locale.language).map((tag) => RENAMED[tag] ?? tag);
  const language = all === null ? 'en' : names.find((name) => Object.hasOwn(all.default.locales, name));
  const options = { verbose: true, logicalAndDayFields: true, use24HourTimeFormat: !isEnglish, locale: language };
  let text: string;
  try {
    text = (all?.toString ?? describeCron)(short, options);
  } catch {
    return null;
  }
  const [, times, days] =
    /^At ((?:\d\d:\d\d [AP]M(?:, | and )?)+), ([^,]+(?:, (?:and )?[A-Z][^,]*)*)$/.exec(text) ?? [];
  if (times === undefined || days === undefined) return text;
  // "At 07:30 AM, only on Monday" becomes "Every Monday at 07:30 AM".
  const when = days.replace(/^only on /, 'every ');
  return `${when.charAt(0).toUpperCase()}${when.slice(1)} at ${times}`;
}
