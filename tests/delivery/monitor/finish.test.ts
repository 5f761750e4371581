import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Tables } from '../../../src/core/store/tables.ts';
import { retry } from '../../../src/delivery/control/operator-control.ts';
import { reopenDeliveries } from '../../../src/delivery/control/reopen.ts';
import { endedBadly, finishingWithAlert, undeliveredMessage } from '../../../src/delivery/monitor/finish.ts';
import { expiredReason, OVER_LIMITS } from '../../../src/delivery/queue/delivery-outcome.ts';
import { finishEditions } from '../../../src/delivery/queue/outbox.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

const NAME = 'daily-roundup/2026-11-24';

async function alertsOf({ store }: TestApp): Promise<string[]> {
  return (await openAlerts(store.db)).map(({ key, message }) => `${key} ${message}`);
}

/** All deliveries of an edition are submitted, except the first ones, which end as `rows` say. */
async function end({ store }: TestApp, editionId: number, rows: Partial<Tables['deliveries']>[]): Promise<void> {
  const of = () => store.db.updateTable('deliveries').where('edition_id', '=', editionId);
  await of().set({ state: 'submitted' }).execute();
  const { rows: all } = { rows: await store.db.selectFrom('deliveries').select('subscriber_id').execute() };
  for (const [n, row] of rows.entries()) {
    await of()
      .set(row)
      .where('subscriber_id', '=', all[n]?.subscriber_id as number)
      .execute();
  }
}

const refused = { state: 'failed' as const, reason: 'mx.example:25 answered: 550 5.1.1 no such user 12345' };
const overLimits = { state: 'failed' as const, reason: expiredReason(`${OVER_LIMITS}: checked again at x`) };

describe('an edition that is done', () => {
  forEachDatabase((open) => {
    it('raises an alert where more than 2 % failed, until it is retried or a later edition is done', async () => {
      const app = openTestApp(await open());
      const finish = () => finishEditions(app.store.db, finishingWithAlert(app));
      const { editionId } = await queueEdition(app.store, 100);
      await end(app, editionId, [refused, refused, overLimits, { state: 'suppressed' }]);
      expect(await finish()).toEqual([editionId]);
      const alert =
        `undelivered:${editionId} ${NAME} is done, but 3 of 99 deliveries failed (3 %): 2 failed, 1 over limits. ` +
        `The reasons: 2 × "550 5.1.1 no such user #", 1 × "${OVER_LIMITS}". To see them, use ` +
        `"daywire editions show ${NAME}"; to deliver them again, use "daywire editions retry ${NAME}".`;
      expect(await alertsOf(app)).toEqual([alert]);

      const edition = { id: editionId, newsletter: 'daily-roundup', slot: '2026-11-24' };
      const request = { kinds: ['failed', 'expired'] as const, domain: null };
      await retry(app, edition, { ...request, isDryRun: true });
      expect(await alertsOf(app)).toEqual([alert]);
      await retry(app, edition, { ...request, isDryRun: false });
      expect(await alertsOf(app)).toEqual([]);
      await end(app, editionId, [refused, refused, overLimits, { state: 'suppressed' }]);
      await finish();
      expect(await alertsOf(app)).toEqual([alert]);

      const next = await queueEdition(app.store, 100, { slot: '2026-11-25', number: 2, articleId: 'next' });
      await end(app, next.editionId, [refused, refused]);
      await finish();
      expect(await alertsOf(app)).toEqual([]);
    });

    it('is no alert any more after a retry that finds nobody who may be mailed', async () => {
      const app = openTestApp(await open());
      const { editionId } = await queueEdition(app.store, 2);
      await end(app, editionId, [refused]);
      await finishEditions(app.store.db, finishingWithAlert(app));
      expect(await alertsOf(app)).toHaveLength(1);
      await app.store.db.updateTable('subscribers').set({ suppressed_reason: 'operator' }).execute();
      const edition = { id: editionId, newsletter: 'daily-roundup', slot: '2026-11-24' };
      const again = (kinds: ('failed' | 'expired')[]) => retry(app, edition, { kinds, isDryRun: false });
      await again(['failed']);
      expect(await alertsOf(app)).toHaveLength(1);
      expect(await again(['failed', 'expired'])).toMatchObject({ reopened: 0, ineligible: 1 });
      expect(await alertsOf(app)).toEqual([]);
    });

    it('is not done if its deliveries are reopened at that moment', async () => {
      const app = openTestApp(await open());
      const { editionId } = await queueEdition(app.store, 1);
      await end(app, editionId, [refused]);
      const request = { kinds: ['failed'] as const, expiresAt: NOW, isDryRun: false };
      const reopening = async () => {
        await reopenDeliveries(app.store, editionId, request, NOW);
        return async () => {
          throw new Error('it is not done');
        };
      };
      expect(await finishEditions(app.store.db, reopening)).toEqual([]);
      const states = await app.store.db.selectFrom('editions').select('delivery_state').execute();
      expect(states).toEqual([{ delivery_state: 'delivering' }]);
    });
  });

  it('tolerates 2 %, and no single failure of a short list', () => {
    const counts = { pending: 0, submitting: 0, suppressed: 50 };
    expect(endedBadly({ ...counts, submitted: 98, failed: 2 })).toBe(false);
    expect(endedBadly({ ...counts, submitted: 97, failed: 3 })).toBe(true);
    expect(endedBadly({ ...counts, submitted: 6, failed: 1 })).toBe(true);
    expect(endedBadly({ ...counts, submitted: 0, failed: 0 })).toBe(false);
    const groups = [...'abcd'].map((words, n) => ({ kind: 'failed' as const, words, count: 4 - n }));
    expect(undeliveredMessage('x', { ...counts, submitted: 290, failed: 10 }, groups)).toContain(
      '10 of 300 deliveries failed (3.3 %): 10 failed. The reasons: 4 × "a", 3 × "b", 2 × "c" and others.',
    );
  });
});
