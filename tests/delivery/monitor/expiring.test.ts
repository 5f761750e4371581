import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { checkExpiring } from '../../../src/delivery/checks.ts';
import { allowedUntil, findExpiring } from '../../../src/delivery/monitor/expiring.ts';
import { updateWaitingAlerts } from '../../../src/delivery/monitor/waiting-alerts.ts';
import { EXPIRED, OVER_LIMITS } from '../../../src/delivery/queue/delivery-outcome.ts';
import { queueLines, readQueueStatus } from '../../../src/delivery/status/queue-status.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp } from '../../support/test-app.ts';
import { setDeliveries } from '../fixture.ts';

const START = Date.UTC(2026, 10, 24, 8);

it('a limit in 24 hours allows as much as it leaves, and what becomes free until then', () => {
  const counts = [
    { quarter: START - 23 * HOUR, count: 300 },
    { quarter: START - HOUR, count: 500 },
  ];
  const allowed = (hours: number) => allowedUntil(1_000, counts, START, START + hours * HOUR);
  // 2 % are left to service messages. The first quarter counts until it is 24 hours and 15 minutes old.
  expect([0, 1, 2, 20, 24, 26, 48.5].map(allowed)).toEqual([180, 180, 480, 480, 980, 1_460, 2_140]);
});

describe('deliveries that the limit lets expire', () => {
  forEachDatabase((open) => {
    it('are announced by the check, the status and an alert, which ends with its cause', async () => {
      const app = openTestApp(await open(), {
        edit: (yaml) => yaml.replace('delivery:\n', 'delivery:\n  perDay: 10\n'),
      });
      app.now = NOW;
      const { editionId } = await queueEdition(app.store, 12);
      await setDeliveries(app.store, { expires_at: NOW + 20 * HOUR }, { edition_id: editionId });
      const sentence =
        '3 deliveries of daily-roundup/2026-11-24 will expire, since delivery.perDay allows too few messages until ' +
        new Date(NOW + 20 * HOUR).toISOString().replace('.000', '');
      expect(queueLines(await readQueueStatus(app, NOW), '')).toContain(sentence);
      expect((await checkExpiring(app.store, app.config, NOW)).map(({ message }) => message)).toEqual([
        `delivery: ${sentence}`,
        'newsletters daily-roundup: delivery.perDay allows 9 messages in 20 hours (expireAfterHours), so 3 of 12 ' +
          'deliveries of each edition would expire',
      ]);
      await updateWaitingAlerts(app);
      expect((await openAlerts(app.store.db)).map(({ message }) => message)).toEqual([
        expect.stringContaining(`${sentence}. Set delivery.perDay to the quota of your account`),
      ]);
      app.config.delivery.perDay = undefined;
      // The 24th and a part of the 25th in Shanghai.
      app.config.delivery.warmUp = { from: '2026-11-23', perDay: [1, 4, 6] };
      expect((await checkExpiring(app.store, app.config, NOW)).map(({ message }) => message)).toEqual([
        `delivery: ${sentence.replace('3', '2').replace('perDay', 'warmUp')}`,
        expect.stringContaining('delivery.warmUp allows 10 messages in 20 hours (expireAfterHours), so 2 of 12'),
      ]);
      app.config.delivery.warmUp = undefined;
      app.config.delivery.perDay = 100;
      await updateWaitingAlerts(app);
      expect(await openAlerts(app.store.db)).toEqual([]);
      app.config.delivery.perDay = 10;
      // The messages of yesterday no longer count an hour later.
      await app.store.db
        .insertInto('submission_counts')
        .values({ quarter: NOW - DAY + 15 * MINUTE, count: 9 })
        .execute();
      await app.store.db.deleteFrom('deliveries').where('subscriber_id', '>', 9).execute();
      expect(await findExpiring(app, NOW)).toEqual([]);
    });

    it('keep their alert when they have expired, until a retry', async () => {
      const app = openTestApp(await open(), {
        edit: (yaml) => yaml.replace('delivery:\n', 'delivery:\n  perDay: 10\n'),
      });
      app.now = NOW;
      await queueEdition(app.store, 12);
      await setDeliveries(app.store, { expires_at: NOW + 20 * HOUR });
      await updateWaitingAlerts(app);
      await setDeliveries(app.store, { state: 'submitted' });
      await setDeliveries(app.store, { state: 'failed', reason: `${EXPIRED}; ${OVER_LIMITS}` }, { subscriber_id: 1 });
      await updateWaitingAlerts(app);
      expect((await openAlerts(app.store.db)).map(({ message }) => message)).toEqual([
        expect.stringContaining('1 delivery of daily-roundup/2026-11-24 expired: over the limit'),
      ]);
      await setDeliveries(app.store, { state: 'submitted', reason: null });
      await updateWaitingAlerts(app);
      expect(await openAlerts(app.store.db)).toEqual([]);
    });
  });
});
