/**
 * A cron expression as readers say it.
 */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const SHORT_DAYS = DAYS.map((day) => day.slice(0, 3).toLowerCase());

/**
 * `Every weekday at 07:30 AM, Shanghai time`; for what has no plain words, `On a schedule of its own, Shanghai time`.
 * @param cron five fields
 */
export function scheduleWords(cron: string, zone: string): string {
  const [minute = '', hour = '', date = '', month = '', weekday = ''] = cron.trim().toLowerCase().split(/\s+/);
  const times = timesOf(minute, hour);
  const days = month === '*' ? daysOf(date, weekday) : null;
  const place = zoneWords(zone);
  return times === null || days === null ? `On a schedule of its own, ${place}` : `${days} at ${times}, ${place}`;
}

/**
 * When a newsletter reaches its readers: as above, or with what their own clocks have to do with it.
 * @param deliverAt such as `07:00`, a time of each reader's own day
 */
export function deliveryWords(cron: string, zone: string, deliverAt: string | undefined): string {
  const closes = scheduleWords(cron, zone);
  if (deliverAt === undefined) return closes;
  const [hour = '', minute = ''] = deliverAt.split(':');
  return `${closes}; then at ${timesOf(minute, hour)} by your own clock`;
}

/** `Shanghai time` for `Asia/Shanghai`. */
export function zoneWords(zone: string): string {
  return zone === 'UTC' ? 'UTC' : `${zone.split('/').at(-1)?.replaceAll('_', ' ')} time`;
}

function timesOf(minute: string, hour: string): string | null {
  if (!/^\d{1,2}$/.test(minute) || !/^\d{1,2}(,\d{1,2})*$/.test(hour)) return null;
  const hours = [...new Set(hour.split(',').map(Number))].sort((a, b) => a - b);
  return listed(
    hours.map((h) => {
      const shown = String(h % 12 === 0 ? 12 : h % 12).padStart(2, '0');
      return `${shown}:${minute.padStart(2, '0')} ${h < 12 ? 'AM' : 'PM'}`;
    }),
  );
}

function daysOf(date: string, weekday: string): string | null {
  if (date !== '*') {
    // Day of month and day of week must both match, which has no plain words.
    if (weekday !== '*' || !/^\d{1,2}$/.test(date)) return null;
    return `On day ${Number(date)} of every month`;
  }
  if (weekday === '*') return 'Every day';
  const days = weekdaysOf(weekday);
  if (days === null) return null;
  if (days.length === 7) return 'Every day';
  if (days.join() === '1,2,3,4,5') return 'Every weekday';
  return `Every ${listed(days.map((day) => DAYS[day] as string))}`;
}

/** The days of a list of names, numbers and ranges, 0 for Sunday, in the order of a week that begins on Monday. */
function weekdaysOf(field: string): number[] | null {
  const days = new Set<number>();
  for (const part of field.split(',')) {
    const [from, to = from] = part.split('-').map(dayNumber);
    if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to) || to < from) return null;
    for (let day = from; day <= to; day++) days.add(day % 7);
  }
  return [...days].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7));
}

function dayNumber(text: string): number {
  if (/^[0-7]$/.test(text)) return Number(text);
  const index = SHORT_DAYS.indexOf(text.slice(0, 3));
  return index >= 0 && DAYS[index]?.toLowerCase().startsWith(text) ? index : Number.NaN;
}

function listed(words: string[]): string {
  return words.length === 1 ? (words[0] as string) : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
