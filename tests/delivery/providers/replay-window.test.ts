import { describe, expect, it } from 'vitest';
import { EVENT_IDS_KEPT, REPLAY_WINDOW, whyUntimely } from '../../../src/delivery/providers/report-reader.ts';
import { DAY, MINUTE } from '../../../src/lib/time.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);

describe('the instant of a signature', () => {
  it('may be seven days ago, and five minutes in the future for clocks that differ', () => {
    for (const instant of [NOW, NOW - 7 * DAY, NOW + 5 * MINUTE]) expect(whyUntimely(instant, NOW)).toBeNull();
  });

  it('is refused outside of that, and if it is no number', () => {
    expect(whyUntimely(NOW - 7 * DAY - 1, NOW)).toContain('older than seven days');
    expect(whyUntimely(NOW + 5 * MINUTE + 1, NOW)).toContain('in the future');
    expect(whyUntimely(Number.NaN, NOW)).not.toBeNull();
  });

  it('is refused before the id of its event is deleted', () => {
    const received = NOW;
    const signedAt = received + 5 * MINUTE;
    expect(signedAt + REPLAY_WINDOW).toBeLessThan(received + EVENT_IDS_KEPT);
  });
});
