import { describe, expect, it } from 'vitest';
import { settle } from '../../../src/delivery/control/operator-control.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { readRunDetails, startRunDetails } from '../../../src/delivery/monitor/run-details.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { closeEdition } from '../../app/steps.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openSampleApp, type TestApp } from '../../support/test-app.ts';
import { deliveriesOf, setDeliveries } from '../fixture.ts';

async function alertsOf({ store }: TestApp) {
  return (await openAlerts(store.db)).map(({ key, message, count }) => ({ key, message, count }));
}

/** The configuration with another id for the sample's newsletter. */
function renamed(app: TestApp, id: string): TestApp {
  const newsletters = app.config.newsletters.map((newsletter) => ({ ...newsletter, id }));
  return Object.assign(Object.create(app), { config: { ...app.config, newsletters } });
}

describe('deliveries of a newsletter that is not configured', () => {
  forEachDatabase((open) => {
    it('wait untouched, with an alert that names the ways out and resolves by itself', async () => {
      const app = await openSampleApp(await open(), { feeds: ['latest'] });
      const [slot] = await closeEdition(app);
      const before = await deliveriesOf(app.store);
      expect(before).toHaveLength(7);
      const other = renamed(app, 'weekly');
      const report = await deliverDue(other);
      expect(report).toMatchObject({ submitted: 0, failed: 0, stopped: null, paused: [] });
      expect(await deliveriesOf(app.store)).toEqual(before);
      const message =
        '7 deliveries wait because the configuration has no newsletter daily-roundup. Configure it again under this ' +
        `id. To cancel the waiting deliveries instead, use "daywire editions cancel daily-roundup/${slot}".`;
      expect(await alertsOf(app)).toEqual([{ key: 'unconfigured:daily-roundup', message, count: 1 }]);
      expect(await readRunDetails(other, await startRunDetails(other), report)).toMatchObject({
        unconfigured: [message],
        waiting: [],
      });
      // Not written again while it is unchanged.
      await deliverDue(other);
      expect(await alertsOf(app)).toEqual([{ key: 'unconfigured:daily-roundup', message, count: 1 }]);
      expect(await deliverDue(app)).toMatchObject({ submitted: 7 });
      expect(await alertsOf(app)).toEqual([]);
    });
  });
});

describe('uncertain deliveries that the operator must settle', () => {
  forEachDatabase((open) => {
    it('raise an alert with the command, which the last settlement resolves', async () => {
      const app = await openSampleApp(await open(), { feeds: ['latest'] });
      app.config.delivery.uncertain = 'hold';
      const [slot] = await closeEdition(app);
      await setDeliveries(app.store, { state: 'submitting', lease_until: app.now + 1 });
      await deliverDue(app);
      expect(await alertsOf(app)).toEqual([]);
      app.now += MINUTE;
      await deliverDue(app);
      const name = `daily-roundup/${slot}`;
      const message =
        `7 deliveries are uncertain: ${name} (7). They may have arrived, and are not tried again by ` +
        `themselves. Look at the log of your mail server. To record that they arrived, use "daywire editions settle ${name} --all --as ` +
        `submitted"; to deliver them again, use "daywire editions settle ${name} --all --as retry".`;
      expect(await alertsOf(app)).toEqual([{ key: 'uncertain', message, count: 1 }]);
      const edition = { id: 1, newsletter: 'daily-roundup', slot };
      const [first] = await deliveriesOf(app.store);
      await settle(app, { editionId: 1, subscriberId: first?.subscriber_id as number }, 'retry');
      expect(await alertsOf(app)).toMatchObject([{ message: expect.stringMatching(/^6 deliveries are uncertain/) }]);
      await settle(app, { editionId: edition.id }, 'submitted');
      expect(await alertsOf(app)).toEqual([]);
    });
  });
});
