import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deliveryWords, scheduleWords } from '../../../src/http/pages/schedule-words.ts';

it.each([
  ['30 7 * * *', 'Asia/Shanghai', 'Every day at 07:30 AM, Shanghai time'],
  ['0 18 * * 1-5', 'America/New_York', 'Every weekday at 06:00 PM, New York time'],
  ['5 0 * * mon', 'UTC', 'Every Monday at 12:05 AM, UTC'],
  ['0 12,6,18 * * *', 'Europe/Paris', 'Every day at 06:00 AM, 12:00 PM and 06:00 PM, Paris time'],
  ['0 9 * * sun,sat', 'UTC', 'Every Saturday and Sunday at 09:00 AM, UTC'],
  ['0 9 * * 5-7', 'UTC', 'Every Friday, Saturday and Sunday at 09:00 AM, UTC'],
  ['0 9 * * 0-6', 'UTC', 'Every day at 09:00 AM, UTC'],
  ['0 9 * * Friday', 'UTC', 'Every Friday at 09:00 AM, UTC'],
  ['0 9 1 * *', 'UTC', 'On day 1 of every month at 09:00 AM, UTC'],
  ['*/10 * * * *', 'UTC', 'On a schedule of its own, UTC'],
  ['0 9 1 * 1', 'UTC', 'On a schedule of its own, UTC'],
  ['0 9 * 1 *', 'UTC', 'On a schedule of its own, UTC'],
  ['0 9 * * 1#2', 'UTC', 'On a schedule of its own, UTC'],
])('%s in %s reads "%s"', (cron, zone, words) => {
  expect(scheduleWords(cron, zone)).toBe(words);
});

it('says that a newsletter comes by its readers’ own clocks, where it does', () => {
  const zone = 'Asia/Shanghai';
  expect(deliveryWords('30 7 * * *', zone, undefined)).toBe('Every day at 07:30 AM, Shanghai time');
  expect(deliveryWords('0 18 * * 5', zone, '07:05')).toBe(
    'Every Friday at 06:00 PM, Shanghai time; then at 07:05 AM by your own clock',
  );
});

it('has words for whatever stands in the five fields', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('*', '1', '1-5', '*/2', 'mon', '7', '5-1', '1,2', 'x', ''), { maxLength: 6 }),
      (fields) => {
        expect(scheduleWords(fields.join(' '), 'UTC')).toMatch(/UTC$/);
        expect(scheduleWords(fields.join(' '), 'UTC')).not.toMatch(/undefined|NaN/);
      },
    ),
  );
});
