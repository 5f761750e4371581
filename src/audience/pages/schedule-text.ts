/** Schedules in words. */
import { toString as describeCron } from 'cronstrue';

/**
 * `Every day at 07:30 AM, Shanghai time`.
 * @param cron five fields
 */
export function scheduleText(cron: string, zone: string): string {
  return `${cronText(cron)}, ${zoneText(zone)}`;
}

/**
 * When a newsletter is delivered: as above, with the subscriber's own time if it follows that.
 * @param deliverAt such as `07:00`
 */
export function deliveryText(cron: string, zone: string, deliverAt: string | undefined): string {
  const closes = scheduleText(cron, zone);
  if (deliverAt === undefined) return closes;
  const [hour, minute] = deliverAt.split(':');
  // The time alone, as it is written in the other schedules.
  const time = describeCron(`${minute} ${hour} * * *`).replace('At ', '');
  return `${closes}; delivered at ${time} in your time zone`;
}

/** `Shanghai time` for `Asia/Shanghai`. */
export function zoneText(zone: string): string {
  return zone === 'UTC' ? 'UTC' : `${zone.split('/').at(-1)?.replaceAll('_', ' ')} time`;
}

function cronText(cron: string): string {
  // Names of days and months may be written out in a schedule, but not for cronstrue.
  const short = cron.replace(/[a-z]{3,}/gi, (name) => name.slice(0, 3));
  let text: string;
  try {
    text = describeCron(short, { verbose: true, logicalAndDayFields: true });
  } catch {
    return `On the schedule ${cron}`;
  }
  const [, times, days] =
    /^At ((?:\d\d:\d\d [AP]M(?:, | and )?)+), ([^,]+(?:, (?:and )?[A-Z][^,]*)*)$/.exec(text) ?? [];
  if (times === undefined || days === undefined) return text;
  // "At 07:30 AM, only on Monday" becomes "Every Monday at 07:30 AM".
  const when = days.replace(/^only on /, 'every ');
  return `${when.charAt(0).toUpperCase()}${when.slice(1)} at ${times}`;
}
