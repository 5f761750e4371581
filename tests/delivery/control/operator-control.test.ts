import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { raiseAlert } from '../../../src/core/alerts/alerts.ts';
import { DELIVERY_HELD, writeMeta } from '../../../src/core/store/meta.ts';
import { DELIVERY_STOPPED, pauseAlert } from '../../../src/delivery/alerts.ts';
import { pauseEdition } from '../../../src/delivery/control/edition-control.ts';
import { cancel, release, resume, retry } from '../../../src/delivery/control/operator-control.ts';
import { updateWaitingAlerts } from '../../../src/delivery/monitor/waiting-alerts.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';
import { deliveriesOf, setDeliveries } from '../fixture.ts';

async function alertKeys({ store }: TestApp): Promise<string[]> {
  return (await openAlerts(store.db)).map(({ key }) => key);
}

describe("the operator's control", () => {
  forEachDatabase((open) => {
    it('releases the queue, and resolves the alert about stopped delivery only if it was held', async () => {
      const app = openTestApp(await open());
      await raiseAlert(app.store.db, { ...DELIVERY_STOPPED, message: 'the server refuses the login' }, app.now);
      expect(await release(app)).toBe(false);
      expect(await alertKeys(app)).toEqual(['delivery']);
      await writeMeta(app.store.db, DELIVERY_HELD, 'restored');
      expect(await release(app)).toBe(true);
      expect(await alertKeys(app)).toEqual([]);
    });

    it('resumes an edition, extending what has expired, and resolves its alert', async () => {
      const app = openTestApp(await open());
      const { db } = app.store;
      const { editionId } = await queueEdition(app.store, 2);
      const edition = { id: editionId, newsletter: 'daily-roundup', slot: '2026-11-24' };
      await db.updateTable('deliveries').set({ expires_at: app.now }).execute();
      await pauseEdition(db, editionId, 'refused');
      await raiseAlert(db, { ...pauseAlert(editionId), message: 'refused' }, app.now);
      await expect(resume(app, edition)).rejects.toThrow('2 pending deliveries have expired and would fail at once');
      expect(await alertKeys(app)).toHaveLength(1);
      expect(await resume(app, edition, { extendBy: 12 * HOUR })).toEqual({ extended: 2, wasPaused: true });
      expect(await alertKeys(app)).toEqual([]);
      expect((await deliveriesOf(app.store)).map((row) => row.expires_at)).toEqual(Array(2).fill(app.now + 12 * HOUR));
    });

    it('cancels an edition, and resolves the alerts about what waited', async () => {
      const app = openTestApp(await open());
      const { db } = app.store;
      const { editionId } = await queueEdition(app.store, 2, { newsletter: 'renamed' });
      await raiseAlert(db, { ...pauseAlert(editionId), message: 'refused' }, app.now);
      await updateWaitingAlerts(app);
      expect(await alertKeys(app)).toEqual([`edition:${editionId}`, 'unconfigured:renamed']);
      expect(await cancel(app, editionId, 'x')).toBe(2);
      expect(await alertKeys(app)).toEqual([]);
    });

    it('retries nothing of a newsletter that is not configured, and beyond expireAfterHours', async () => {
      const app = openTestApp(await open());
      const { editionId } = await queueEdition(app.store, 1);
      await setDeliveries(app.store, { state: 'failed', reason: 'refused' });
      const edition = { id: editionId, newsletter: 'daily-roundup', slot: '2026-11-24' };
      const request = { kinds: ['failed'] as const, isDryRun: false };
      await expect(retry(app, edition, { ...request, extendBy: 1_000 * HOUR })).rejects.toThrow(
        'an extension must be at',
      );
      await expect(retry(app, { ...edition, newsletter: 'weekly' }, request)).rejects.toThrow('is not configured');
      expect(await deliveriesOf(app.store)).toMatchObject([{ state: 'failed' }]);
    });
  });
});
