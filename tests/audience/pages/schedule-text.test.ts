import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduleText } from '../../../src/audience/pages/schedule-text.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';

const english = localeOf('en', {});

describe('a schedule in words', () => {
  it.each([
    ['30 7 * * *', 'Asia/Shanghai', 'Every day at 7:30 AM, Shanghai time'],
    ['0 18 * * 1-5', 'America/New_York', 'Monday through Friday at 6:00 PM, New York time'],
    ['5 0 * * mon', 'UTC', 'Every Monday at 12:05 AM, UTC'],
    ['0 12,6,18 * * *', 'Europe/Paris', 'Every day at 6:00 AM, 12:00 PM and 6:00 PM, Paris time'],
    ['0 9 * * sun,sat', 'UTC', 'Every Sunday and Saturday at 9:00 AM, UTC'],
    ['0 9 * * 1,3,5', 'UTC', 'Every Monday, Wednesday and Friday at 9:00 AM, UTC'],
    ['0 9 * * 5-7', 'UTC', 'Friday through Sunday at 9:00 AM, UTC'],
    ['0 9 * * Friday', 'UTC', 'Every Friday at 9:00 AM, UTC'],
    ['0 9 1 * *', 'UTC', 'On day 1 of the month at 9:00 AM, UTC'],
    ['0 9 * * 1#2', 'UTC', 'At 09:00 AM, on the second Monday of the month, UTC'],
    ['0 9 1 * 1', 'UTC', 'At 09:00 AM, on day 1 of the month, only on Monday, UTC'],
    ['0 9 * january *', 'UTC', 'At 09:00 AM, every day, only in January, UTC'],
    ['*/10 * * * *', 'UTC', 'Every 10 minutes, every hour, every day, UTC'],
  ])('for %s in %s is "%s"', (cron, zone, text) => {
    expect(scheduleText(cron, zone, english)).toBe(text);
  });

  it('names the delivery time in the zone of the subscriber', () => {
    const zone = 'Asia/Shanghai';
    expect(scheduleText('0 18 * * 5', zone, english, '07:05')).toBe(
      'Every Friday at 6:00 PM, Shanghai time; delivered at 7:05 AM in your time zone',
    );
  });

  it.each([
    ['30 7 * * *', 'de', 'Europe/Berlin', 'Täglich um 07:30, Ortszeit Berlin'],
    ['0 9,18 * * 1,3', 'de', 'Europe/Berlin', 'Montag und Mittwoch um 09:00 und 18:00, Ortszeit Berlin'],
    ['0 18 * * mon-fri', 'ja', 'Asia/Tokyo', '月曜日から金曜日まで18:00、Tokyo時間'],
    ['0 9 1 * *', 'ja', 'UTC', '毎月1日9:00、UTC'],
    // A name in the other direction is isolated.
    ['30 7 * * 0', 'he', 'Asia/Jerusalem', 'יום ראשון 7:30, שעון \u2068Jerusalem\u2069'],
    // Only English has words for these.
    ['0 9 * * 1#2', 'en-GB', 'UTC', 'At 09:00 AM, on the second Monday of the month, UTC'],
    ['0 9 * * 1#2', 'de', 'UTC', 'Nach dem Zeitplan 0 9 * * 1#2, UTC'],
    ['*/10 * * * *', 'zh-TW', 'UTC', '依排程*/10 * * * *, UTC'],
  ])('for %s in %s is in its words and times', (cron, language, zone, text) => {
    const own = {
      de: {
        'schedule.daily': 'Täglich um {times}',
        'schedule.days': '{days} um {times}',
        'schedule.zoneTime': 'Ortszeit {place}',
        'schedule.zoned': '{when}, {zone}',
      },
      ja: {
        'schedule.dayRange': '{first}から{last}まで{times}',
        'schedule.monthly': '毎月{day}日{times}',
        'schedule.zoneTime': '{place}時間',
        'schedule.zoned': '{when}、{zone}',
      },
      he: {
        'schedule.days': '{days} {times}',
        'schedule.zoneTime': 'שעון {place}',
        'schedule.zoned': '{when}, {zone}',
      },
      'zh-TW': { 'schedule.zoned': '{when}, {zone}' },
    };
    expect(scheduleText(cron, zone, localeOf(language, own))).toBe(text);
  });

  it('exists for any text in the five fields', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('*', '1', '1-5', '*/2', 'mon', '7', '5-1', '1,2', 'x', ''), { maxLength: 6 }),
        (fields) => {
          expect(scheduleText(fields.join(' '), 'UTC', english)).toMatch(/^[A-Z].*, UTC$/);
          expect(scheduleText(fields.join(' '), 'UTC', english)).not.toMatch(/undefined|NaN/);
        },
      ),
    );
  });
});
