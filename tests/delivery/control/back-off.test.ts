import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  type BackOff,
  backOffDelay,
  decideAdmission,
  isAlertDue,
} from '../../../src/delivery/control/back-off.ts';
import { DAY, MINUTE, SECOND } from '../../../src/lib/time.ts';

const TEMPORARY = { cause: 'temporary', reason: '421 try again' } as const;

/** The state after probes that all fail as soon as they are allowed. */
function failing(from: number, probes: number): BackOff {
  let state = afterFailure(null, TEMPORARY, from);
  for (let n = 0; n < probes; n++) state = afterFailure(state, TEMPORARY, state.retry_at);
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
    const late = afterFailure(state, TEMPORARY, state.retry_at - 1);
    expect(late).toEqual({ ...state, failed_at: state.retry_at - 1 });
  });

  it('begins again if nothing was due for a while', () => {
    const state = failing(0, 6);
    const later = afterFailure(state, TEMPORARY, state.retry_at + DAY);
    expect(later).toMatchObject({ failures: 1, since: state.retry_at + DAY });
  });

  it('alerts after 15 minutes, of a mistake in the configuration at once, and not twice', () => {
    const state = failing(0, 3);
    expect(isAlertDue(state, 15 * MINUTE - 1)).toBe(false);
    expect(isAlertDue(state, 15 * MINUTE)).toBe(true);
    expect(isAlertDue({ ...state, alerted: 1 }, DAY)).toBe(false);
    expect(isAlertDue(afterFailure(null, { cause: 'configuration', reason: '535 no' }, 0), 0)).toBe(true);
  });

  it('lets two processes probe one after the other, at most once in each delay, and never stops', () => {
    let probes = 0;
    const steps = fc.array(fc.record({ process: fc.integer({ min: 0, max: 1 }), wait: fc.nat(3 * MINUTE) }), {
      minLength: 20,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (events) => {
        let now = 0;
        let state: BackOff = afterFailure(null, TEMPORARY, now);
        let probing = { process: -1, until: 0 };
        let lastFailure = now;
        for (const { process, wait } of events) {
          now += wait;
          if (probing.process === process) {
            // The probe of this process ends.
            const { retry_at: earlier, failures } = state;
            state = afterFailure(state, TEMPORARY, now);
            expect(state.retry_at).toBeGreaterThan(now);
            expect(state.retry_at).toBeGreaterThan(earlier);
            expect(state.failures).toBeLessThanOrEqual(failures + 1);
            lastFailure = now;
            probing = { process: -1, until: 0 };
          } else if (decideAdmission(state, now) === 'probe') {
            expect(now).toBeGreaterThanOrEqual(probing.until);
            expect(now - lastFailure).toBeGreaterThanOrEqual(30 * SECOND);
            probing = { process, until: now + 2 * MINUTE };
            state = { ...state, lease_until: probing.until };
            probes += 1;
          }
        }
        expect(decideAdmission(state, now + 13 * MINUTE)).toBe('probe');
      }),
      { numRuns: 100 },
    );
    expect(probes).toBeGreaterThan(100);
  });
});
