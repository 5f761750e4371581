import { describe, expect, it } from 'vitest';
import {
  countdownSentence,
  sendingTime,
  slotSentence,
} from '../../../../src/editions/desk/sending/sending-sentence.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../../src/lib/time.ts';

const SHANGHAI = 'Asia/Shanghai';
/** 07:30 on Tuesday, November 24, in Shanghai. */
const SLOT = Date.UTC(2026, 10, 23, 23, 30);

describe('the sentence before an edition goes out', () => {
  const terms = { count: 1_204, zone: SHANGHAI };

  it('names count, time and zone', () => {
    expect(slotSentence(terms, SLOT, SLOT - HOUR)).toBe('to 1,204 subscribers, today 07:30 Asia/Shanghai');
    expect(slotSentence({ ...terms, count: 1 }, SLOT, SLOT - 9 * HOUR)).toBe(
      'to 1 subscriber, tomorrow 07:30 Asia/Shanghai',
    );
    expect(slotSentence({ ...terms, count: 0 }, SLOT, SLOT)).toBe('to 0 subscribers, at once');
  });

  it('names the countdown, and the time of day at which copies are due', () => {
    expect(countdownSentence(terms, 60 * SECOND)).toBe('to 1,204 subscribers, now, after a countdown of 60 s');
    expect(countdownSentence(terms, 0)).toBe('to 1,204 subscribers, now');
    expect(slotSentence({ ...terms, deliverAt: '08:00' }, SLOT, SLOT - HOUR)).toBe(
      'to 1,204 subscribers, today 07:30 Asia/Shanghai; delivered at 08:00 in each subscriber’s time zone',
    );
  });

  it('names a day within a week by its weekday, and others with their date', () => {
    expect(sendingTime(SLOT, SLOT - 2 * DAY, SHANGHAI)).toBe('Tuesday 07:30');
    expect(sendingTime(SLOT, SLOT - 6 * DAY, SHANGHAI)).toBe('Tuesday 07:30');
    expect(sendingTime(SLOT, SLOT - 7 * DAY, SHANGHAI)).toBe('Tuesday 2026-11-24 07:30');
    expect(sendingTime(SLOT, SLOT + DAY, SHANGHAI)).toBe('Tuesday 2026-11-24 07:30');
  });

  it('counts days of the calendar, not of 24 hours, where the clocks change', () => {
    const newYork = 'America/New_York';
    // 00:15 and 23:45 on November 1, which has 25 hours.
    const [early, late] = [Date.UTC(2026, 10, 1, 4, 15), Date.UTC(2026, 10, 2, 4, 45)];
    expect(sendingTime(late, early, newYork)).toBe('today 23:45');
    expect(sendingTime(late + 30 * MINUTE, late, newYork)).toBe('tomorrow 00:15');
    // March 8 has 23 hours.
    const spring = Date.UTC(2026, 2, 8, 5, 15);
    expect(sendingTime(spring + 23 * HOUR, spring, newYork)).toBe('tomorrow 00:15');
  });

  it('tells the two hours apart that the clocks show twice', () => {
    const zone = 'America/New_York';
    const first = Date.UTC(2026, 10, 1, 5, 30);
    expect(sendingTime(first, first - HOUR, zone)).toBe('today 01:30 (UTC-04:00)');
    expect(sendingTime(first + HOUR, first, zone)).toBe('today 01:30 (UTC-05:00)');
    expect(sendingTime(first + 2 * HOUR, first, zone)).toBe('today 02:30');
    // 02:30 does not exist on March 8: the instant is shown as 03:30.
    expect(sendingTime(Date.UTC(2026, 2, 8, 7, 30), Date.UTC(2026, 2, 8, 6), zone)).toBe('today 03:30');
  });
});
