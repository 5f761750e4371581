import { describe, expect, it } from 'vitest';
import { NOW as CLOSED, queueEdition } from '../../../scripts/test-edition.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { callDueHeartbeats, isDelivered } from '../../../src/delivery/monitor/heartbeat.ts';
import { DAY, MINUTE } from '../../../src/lib/time.ts';
import { startWebServer } from '../../core/schedule/web-server.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

async function submit({ store }: TestApp, subscriberIds: number[]): Promise<void> {
  await store.db
    .updateTable('deliveries')
    .set({ state: 'submitted' })
    .where('subscriber_id', 'in', subscriberIds)
    .execute();
}

describe('the heartbeat', () => {
  forEachDatabase((open) => {
    it('is called once 95 % are submitted, once for several processes and over restarts', async () => {
      const web = await startWebServer();
      const app = openTestApp(await open(), { env: { DAYWIRE_HEARTBEAT_URL: web.url } });
      const { subscriberIds } = await queueEdition(app.store, 20);
      await submit(app, subscriberIds.slice(0, 18));
      expect(await callDueHeartbeats(app)).toBe(true);
      expect(web.requests).toEqual([]);
      await submit(app, subscriberIds.slice(18, 19));
      const both = await Promise.all([callDueHeartbeats(app), callDueHeartbeats(app)]);
      expect(both).toContain(true);
      expect(await callDueHeartbeats(app)).toBe(true);
      expect(web.requests.map(({ method }) => method)).toEqual(['GET']);
    });

    it('is called again after a failure, a minute later, and not for an old edition', async () => {
      const web = await startWebServer();
      const app = openTestApp(await open(), { env: { DAYWIRE_HEARTBEAT_URL: web.url } });
      await queueEdition(app.store, 0);
      web.answer = 503;
      expect(await callDueHeartbeats(app)).toBe(false);
      expect(await callDueHeartbeats(app)).toBe(false);
      expect(web.requests).toHaveLength(1);
      expect(await openAlerts(app.store.db)).toMatchObject([
        { key: 'heartbeat', message: expect.stringMatching(/ until 2026-11-26T07:30:00Z, and then given up /) },
      ]);
      web.answer = 200;
      app.now += MINUTE;
      expect(await callDueHeartbeats(app)).toBe(true);
      expect(web.requests).toHaveLength(2);
      expect(await openAlerts(app.store.db)).toEqual([]);
      app.now = CLOSED + 2 * DAY;
      await queueEdition(app.store, 0, { slot: '2026-11-25', number: 2, articleId: 'next' });
      expect(await callDueHeartbeats(app)).toBe(true);
      expect(web.requests).toHaveLength(2);
    });

    it('is called by the run that delivers an edition, and at once for one without subscribers', async () => {
      const web = await startWebServer();
      const app = openTestApp(await open(), { env: { DAYWIRE_HEARTBEAT_URL: web.url } });
      await queueEdition(app.store, 2);
      await queueEdition(app.store, 0, { slot: '2026-11-25', number: 2, articleId: 'next' });
      expect(await deliverDue(app)).toMatchObject({ submitted: 2 });
      expect(web.requests).toHaveLength(2);
      const { config } = app;
      const newsletters = config.newsletters.map((newsletter) => ({ ...newsletter, heartbeat: false }));
      const silent = { ...app, config: { ...config, newsletters } };
      await queueEdition(app.store, 0, { slot: '2026-11-26', number: 3, articleId: 'third' });
      await deliverDue(silent);
      expect(web.requests).toHaveLength(2);
    });
  });

  it.each([
    [true, 'nobody is subscribed', null, 'done'],
    [true, '95 % are submitted', { submitted: 95, pending: 5 }, 'delivering'],
    [false, '94 % are', { submitted: 94, pending: 3, submitting: 1, failed: 2 }, 'delivering'],
    [true, 'the others have left', { submitted: 10, suppressed: 90 }, 'done'],
    [true, 'all have left', { suppressed: 9 }, 'done'],
    [false, 'it is cancelled', { submitted: 10, suppressed: 90 }, 'cancelled'],
    [true, 'it is cancelled late', { submitted: 95, suppressed: 5 }, 'cancelled'],
    [false, 'it is cancelled without deliveries', null, 'cancelled'],
  ] as const)('decides %s where %s', (expected, _case, counts, state) => {
    const none = { pending: 0, submitting: 0, submitted: 0, failed: 0, suppressed: 0 };
    expect(isDelivered(counts === null ? null : { ...none, ...counts }, state)).toBe(expected);
  });
});
