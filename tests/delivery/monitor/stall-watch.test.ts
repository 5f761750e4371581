import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { StallWatch } from '../../../src/delivery/monitor/stall-watch.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';
import { setDeliveries } from '../fixture.ts';

const WAITS = Array(2).fill({ words: 'mail.example.com:25 has not answered RCPT TO', isComplete: false });

/** Looks every ten seconds. @returns seconds to the alert, or null */
async function secondsToAlert(app: TestApp, watch: StallWatch): Promise<number | null> {
  for (const began = app.now; app.now <= began + 10 * MINUTE; app.now += 10 * SECOND) {
    await watch.look(WAITS);
    if ((await openAlerts(app.store.db)).length > 0) return (app.now - began) / SECOND;
  }
  return null;
}

describe('messages of which none is submitted', () => {
  forEachDatabase((open) => {
    it('raise an alert within five minutes with what connections wait for, until one is submitted', async () => {
      const app = openTestApp(await open());
      app.now = NOW;
      await queueEdition(app.store, 3);
      const watch = new StallWatch(app);
      expect(await secondsToAlert(app, watch)).toBe(270);
      expect(await openAlerts(app.store.db)).toMatchObject([
        { key: 'delivery', message: expect.stringContaining('mail.example.com:25 has not answered RCPT TO (2 ×)') },
      ]);
      await setDeliveries(app.store, { state: 'submitted' }, { subscriber_id: 1 });
      app.now += 10 * SECOND;
      await watch.look([]);
      expect(await openAlerts(app.store.db)).toEqual([]);
    });

    it.each<[string, Parameters<typeof setDeliveries>[1], number | null]>([
      ['were put off like all others', { attempts: 1, due_at: NOW + HOUR }, 270],
      ['are due later', { due_at: NOW + HOUR }, null],
      ['have expired', { expires_at: NOW }, null],
      ['are uncertain', { state: 'submitting', lease_until: NOW }, null],
      ['have ended', { state: 'failed' }, null],
    ])('that %s', async (_name, set, expected) => {
      const app = openTestApp(await open());
      app.now = NOW;
      await queueEdition(app.store, 2);
      await setDeliveries(app.store, set);
      expect(await secondsToAlert(app, new StallWatch(app))).toBe(expected);
    });

    it('that are paused', async () => {
      const app = openTestApp(await open());
      app.now = NOW;
      await queueEdition(app.store, 2);
      await app.store.db.updateTable('editions').set({ delivery_state: 'paused' }).execute();
      expect(await secondsToAlert(app, new StallWatch(app))).toBeNull();
    });
  });
});
