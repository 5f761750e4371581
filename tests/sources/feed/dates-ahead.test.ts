import { expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { problemOfDatesAhead } from '../../../src/sources/feed/dates-ahead.ts';
import { NOW } from './read-feed.ts';

it('says nothing of dates that are ahead by as much as clocks differ', () => {
  expect(problemOfDatesAhead([], NOW)).toBeNull();
  expect(problemOfDatesAhead([NOW - HOUR, NOW + 15 * MINUTE], NOW, 'Asia/Taipei')).toBeNull();
});

it.each([
  ['the zone of the publication, where the newest item is some hours old', 5 * HOUR, 'Asia/Taipei', '+0800'],
  ['that zone, with half an hour', 5 * HOUR, 'Asia/Kolkata', '+0530'],
  ['the zone that the newest item is in', 7 * HOUR + 58 * MINUTE, 'America/New_York', '+0800'],
  ['that zone, where the publication is further west', 9 * HOUR, 'Europe/Berlin', '+0900'],
])('names %s', (_, ahead, zone, offset) => {
  const problem = problemOfDatesAhead([NOW + ahead, NOW - HOUR, NOW + HOUR], NOW, zone);
  expect(problem).toMatch(/^2 items are dated up to \d h.* ahead, probably local time of /);
  expect(problem).toContain(`of ${offset} that is labelled as GMT: they count as published when first seen`);
});

it('names no zone that does not exist', () => {
  expect(problemOfDatesAhead([NOW + 23 * HOUR], NOW)).toBe(
    '1 item is dated up to 23 h ahead: it counts as published when first seen',
  );
});
