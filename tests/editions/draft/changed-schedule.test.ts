/** An editor's decisions about a slot, while the schedule of the newsletter changes. */
import { expect, it } from 'vitest';
import { jobsOf } from '../../../src/app/capabilities.ts';
import { registerSchedules } from '../../../src/core/schedule/register.ts';
import { listRuns } from '../../../src/core/schedule/run-ledger.ts';
import { findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { check, closedStories, type DraftApp, hold, openDraftApp } from './draft-steps.ts';

const SLOT = Date.UTC(2026, 10, 23, 23, 30);

forEachDatabase((open) => {
  /** An edition of 07:30 that Ada holds. */
  async function openHeld(): Promise<DraftApp> {
    const app = await openDraftApp(await open(), SLOT);
    await hold(app);
    return app;
  }

  function reschedule({ newsletter }: DraftApp, cron: string): void {
    newsletter.schedule = { ...newsletter.schedule, cron } as DraftApp['newsletter']['schedule'];
  }

  it('keeps a held edition from closing at its slot when its day gets a second one', async () => {
    const app = await openHeld();
    reschedule(app, '30 7,18 * * *');
    expect((await findDraftTarget(app, app.newsletter)).slot).toEqual(app.slot);
    await registerSchedules(app.store.db, jobsOf(app), app.now);
    expect(await check(app, SLOT)).toMatchObject([{ state: 'waiting', reason: 'held by Ada' }]);
    expect(await closedStories(app)).toBeNull();
  });

  it('ends the wait of a slot that is not in the new schedule, and says so', async () => {
    const app = await openHeld();
    await check(app, SLOT);
    reschedule(app, '0 9 * * *');
    app.now = SLOT + MINUTE;
    // A command, before the process that waits has been started again.
    expect((await findDraftTarget(app, app.newsletter)).slot.slotAt).toBe(SLOT + 1.5 * HOUR);
    await check(app, SLOT + 2 * MINUTE);
    expect(await listRuns(app.store.db, 10)).toMatchObject([
      {
        slotAt: SLOT,
        state: 'skipped',
        reason:
          'held by Ada; dropped: the schedule changed from 30 7 * * * (Asia/Shanghai) to 0 9 * * * (Asia/Shanghai)',
      },
    ]);
    expect((await openAlerts(app.store.db)).map(({ key }) => key)).toEqual(['skipped:newsletter:daily-roundup']);
  });
});
