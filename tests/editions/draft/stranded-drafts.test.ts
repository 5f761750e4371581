import { expect, it } from 'vitest';
import { alertText } from '../../../src/core/alerts/alerts.ts';
import type { AppContext } from '../../../src/core/app-context.ts';
import { warning } from '../../../src/core/finding.ts';
import { checkDrafts, findStrandedDrafts, updateStrandedAlerts } from '../../../src/editions/draft/stranded-drafts.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { type DraftApp, hold, openDraftApp, setState } from './draft-steps.ts';

const SLOT_AT = NOW + 8 * HOUR;

/** The app with another schedule, as after a restart. */
function scheduled(app: DraftApp, cron: string): AppContext {
  const newsletter = { ...app.newsletter, schedule: { cron, graceMinutes: 60 } };
  return { ...app, clock: () => app.now, config: { ...app.config, newsletters: [newsletter] } };
}

const alerts = async ({ store }: DraftApp) => (await openAlerts(store.db)).map(({ key }) => key);

forEachDatabase((open) => {
  it('reports a held draft whose slot is no longer scheduled, until the slot is back or over', async () => {
    const app = await openDraftApp(await open(), SLOT_AT);
    await hold(app);
    const twice = scheduled(app, '30 7,19 * * *');
    const name = `daily-roundup/${app.slot.label}`;
    expect(await findStrandedDrafts(app, app.now)).toEqual([]);
    expect(await findStrandedDrafts(scheduled(app, '45 8 * * *'), app.now)).toEqual([]);
    expect((await findStrandedDrafts(twice, app.now)).map(alertText)).toEqual([
      `The draft ${name}, which is held by Ada, has no effect: the schedule of daily-roundup has no such slot. ` +
        'Give its commands for another slot, or bring this one back. ' +
        `To see what editors decided, use "daywire editions log ${name}".`,
    ]);
    await updateStrandedAlerts(twice);
    expect(await alerts(app)).toEqual([`stranded-draft:daily-roundup:${app.slot.label}`]);
    await updateStrandedAlerts(app);
    expect(await alerts(app)).toEqual([]);
    expect(await findStrandedDrafts(twice, SLOT_AT)).toEqual([]);
  });

  it('reports a draft of a newsletter that was removed, unless all commands were undone', async () => {
    const app = await openDraftApp(await open(), SLOT_AT);
    await hold(app);
    const removed = { ...app, config: { ...app.config, newsletters: [] } };
    const name = `daily-roundup/${app.slot.label}`;
    expect(await checkDrafts(app.store, removed.config, app.now)).toEqual([
      warning(
        `drafts: The draft ${name}, which is held by Ada, has no effect: the configuration has no newsletter ` +
          'daily-roundup. Give its commands for another slot, or bring this one back. ' +
          `To see what editors decided, use "daywire editions log ${name}".`,
      ),
    ]);
    await setState(app, { kind: 'automatic' });
    expect(await findStrandedDrafts(removed, app.now)).toEqual([]);
  });
});
