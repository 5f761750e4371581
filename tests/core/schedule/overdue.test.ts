import { describe, expect, it } from 'vitest';
import { findOverdueSlots } from '../../../src/core/schedule/overdue.ts';
import { registerSchedules } from '../../../src/core/schedule/register.ts';
import { recordDoneRun } from '../../../src/core/schedule/run-ledger.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';

const zone = 'Europe/Berlin';
const JOBS = [
  { id: 'nightly', coalesce: false, schedule: { cron: '30 2 * * *', zone, graceMinutes: 60 } },
  { id: 'alerts', coalesce: false, schedule: { cron: null, zone, graceMinutes: 60 } },
];
// 02:30 does not exist in Berlin on 29 March 2026: the slot is at 03:30, which is 01:30 UTC.
const SLOT = Date.UTC(2026, 2, 29, 1, 30);

forEachDatabase((open) => {
  describe('overdue slots', () => {
    it('are those that no process has taken after a minute, also on the night of a clock change', async () => {
      const { db } = await open();
      await registerSchedules(db, JOBS, SLOT - HOUR);
      expect(await findOverdueSlots(db, JOBS, SLOT + 30_000)).toEqual([]);
      expect(await findOverdueSlots(db, JOBS, SLOT + MINUTE)).toEqual([
        { schedule: 'nightly', slotAt: SLOT, count: 1 },
      ]);
      expect(await findOverdueSlots(db, JOBS, SLOT + 25 * HOUR)).toEqual([
        // Again at 02:30, which is an hour earlier in UTC.
        { schedule: 'nightly', slotAt: SLOT + 23 * HOUR, count: 2 },
      ]);
    });

    it('are not those that ran, nor those of a schedule that no process has registered', async () => {
      const { db } = await open();
      expect(await findOverdueSlots(db, JOBS, SLOT + HOUR)).toEqual([]);
      await registerSchedules(db, JOBS, SLOT - HOUR);
      await recordDoneRun(db, { schedule: 'nightly', startedAt: SLOT, reason: 'done' }, SLOT);
      expect(await findOverdueSlots(db, JOBS, SLOT + HOUR)).toEqual([]);
    });
  });
});
