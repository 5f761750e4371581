import { describe, expect, it } from 'vitest';
import { afterFailure, type BackOff, backOffDelay, isAlertDue } from '../../../src/delivery/control/back-off.ts';
import { DAY, MINUTE, SECOND } from '../../../src/lib/time.ts';

const PASSING = { reason: '421 try again', isUrgent: false };

/** The state after probes that all fail as soon as they are allowed. */
function failing(from: number, probes: number): BackOff {
  let state = afterFailure(null, PASSING, from);
  for (let n = 0; n < probes; n++) state = afterFailure(state, PASSING, state.retry_at);
  return state;
}

describe('the back-off', () => {
  it('waits 30 s, 1, 2 and 5 minutes, then always 10', () => {
    const delays = [1, 2, 3, 4, 5, 6, 100].map((failures) => backOffDelay(failures) / SECOND);
    expect(delays).toEqual([30, 60, 120, 300, 600, 600, 600]);
    expect(failing(0, 4)).toMatchObject({ failures: 5, since: 0, retry_at: 18.5 * MINUTE });
  });

  it('is not made longer by failures before its probe', () => {
    const state = failing(0, 2);
    expect(afterFailure(state, { ...PASSING, reason: '421 no' }, state.retry_at - 1)).toEqual({
      ...state,
      reason: '421 no',
    });
  });

  it('alerts once: after 5 minutes, also where a timer probes less often, or at once if it is urgent', () => {
    const state = failing(0, 3);
    expect(isAlertDue(state, PASSING, 5 * MINUTE - 1)).toBe(false);
    expect(isAlertDue(state, PASSING, 5 * MINUTE)).toBe(true);
    expect(isAlertDue({ ...state, alerted: 1 }, PASSING, DAY)).toBe(false);
    const hourly = afterFailure(failing(0, 0), PASSING, 60 * MINUTE);
    expect(isAlertDue(hourly, PASSING, 60 * MINUTE)).toBe(true);
    const urgent = { reason: '535 no', isUrgent: true };
    expect(isAlertDue(afterFailure(null, urgent, 0), urgent, 0)).toBe(true);
  });
});
