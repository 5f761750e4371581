import { describe, expect, it } from 'vitest';
import { sendingSentence, slotSentence } from '../../../../src/editions/desk/sending/sending-sentence.ts';
import { HOUR, SECOND } from '../../../../src/lib/time.ts';

const SHANGHAI = 'Asia/Shanghai';
/** 07:30 on Tuesday, November 24, in Shanghai. */
const SLOT = Date.UTC(2026, 10, 23, 23, 30);

describe('the sentence before an edition goes out', () => {
  const reach = { confirmed: 1_204, mailed: 1_204 };
  const terms = { reach, zone: SHANGHAI };

  it('names count, time and zone', () => {
    expect(slotSentence(terms, SLOT, SLOT - HOUR)).toBe('to 1,204 subscribers, today 07:30 Asia/Shanghai');
    expect(slotSentence({ ...terms, reach: { confirmed: 1, mailed: 1 } }, SLOT, SLOT - 9 * HOUR)).toBe(
      'to 1 subscriber, tomorrow 07:30 Asia/Shanghai',
    );
    expect(slotSentence({ ...terms, reach: { confirmed: 0, mailed: 0 } }, SLOT, SLOT)).toBe(
      'to 0 subscribers, at once',
    );
  });

  it('names how many are mailed where some have too few chosen stories', () => {
    expect(sendingSentence({ ...terms, reach: { ...reach, mailed: 1_192 } }, 0)).toBe(
      'to 1,192 of 1,204 subscribers, now',
    );
  });

  it('names when it closes, and the time of day at which copies are due', () => {
    expect(sendingSentence(terms, 60 * SECOND)).toBe('to 1,204 subscribers, in 1 min');
    expect(sendingSentence(terms, 0)).toBe('to 1,204 subscribers, now');
    expect(slotSentence({ ...terms, deliverAt: '08:00' }, SLOT, SLOT - HOUR)).toBe(
      'to 1,204 subscribers, today 07:30 Asia/Shanghai; delivered at 08:00 in each subscriber’s time zone',
    );
  });
});
