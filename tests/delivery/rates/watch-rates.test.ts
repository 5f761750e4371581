import { afterEach, describe, expect, it } from 'vitest';
import { type DeliveryRows, storeDeliveries } from '../../../scripts/complaints/deliver-rows.ts';
import { type SignedReport, signedReports } from '../../../scripts/complaints/signed-reports.ts';
import { closeServers, startScripted } from '../../../scripts/smtp-servers.ts';
import { createApp } from '../../../src/app/routes/app.ts';
import { mailboxToken } from '../../../src/audience/tokens.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { countDelivered } from '../../../src/core/store/counts.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { cancel, resume } from '../../../src/delivery/control/operator-control.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { countDeliveries } from '../../../src/delivery/queue/queries.ts';
import { RateWatch } from '../../../src/delivery/rates/watch-rates.ts';
import { readEditionDetails } from '../../../src/delivery/status/edition-status.ts';
import { formatEditionDetails } from '../../../src/delivery/status/format-editions.ts';
import { type Edition, findEditionById } from '../../../src/editions/queries.ts';
import { DAY, MINUTE } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { NOW } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

const WEBHOOK_SECRET = 'a webhook secret of the tests';
const EDITION = { id: 1, newsletter: 'daily-roundup', slot: '2026-11-24' };
const NAME = 'daily-roundup/2026-11-24';
const KEY = 'complaints:daily-roundup:2026-11-24:1';

afterEach(closeServers);

interface Simulation {
  app: TestApp;
  editionId: number;
  /** Reports of some subscribers, by signed webhook. */
  report(kind: SignedReport['kind'], subscriberIds: number[], edition?: number): Promise<void>;
  look(): Promise<void>;
  alerts(): Promise<Record<string, string>>;
  pending(): Promise<number>;
  state(edition?: number): Promise<{ delivery_state: string; delivery_reason: string | null }>;
}

/** An edition that is being delivered; the SMTP server accepts everything. */
async function simulate(
  store: Store,
  rows: DeliveryRows[],
  change: (config: Config) => void = () => {},
): Promise<Simulation> {
  const server = await startScripted(() => undefined);
  const app = openTestApp(store, {
    env: { DAYWIRE_WEBHOOK_SECRET: WEBHOOK_SECRET },
    edit: (yaml) => yaml.replace('transport: file', `transport: smtp\n  smtpUrl: ${server.url}`),
  });
  change(app.config);
  const secrets = await app.keys.signingSecrets();
  const web = createApp({ ...app, secrets });
  const editionId = await storeDeliveries(store, rows, { closedAt: NOW });
  const watch = new RateWatch(app);
  return {
    app,
    editionId,
    report: async (kind, subscriberIds, edition = editionId) => {
      const reports = subscriberIds.map((subscriberId) => ({
        kind,
        token: mailboxToken(secrets, { purpose: 'bounce', editionId: edition, subscriberId }),
      }));
      const answer = await web.request('/webhooks/bounces', signedReports(WEBHOOK_SECRET, reports, app.now));
      expect(answer.status).toBe(204);
    },
    look: () => watch.look(),
    alerts: async () => Object.fromEntries((await openAlerts(store.db)).map(({ key, message }) => [key, message])),
    pending: async () => (await countDeliveries(store.db, [editionId])).get(editionId)?.pending ?? 0,
    state: (edition = editionId) =>
      store.db
        .selectFrom('editions')
        .select(['delivery_state', 'delivery_reason'])
        .where('id', '=', edition)
        .executeTakeFirstOrThrow(),
  };
}

/** Ten times the usual limits, so that a tenth of the rows is enough. */
function withHigherLimits({ delivery }: Config, pause = 3): void {
  delivery.complaintRate = { alert: 1, pause };
}

/** `from` up to `to`, both included. */
function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

describe('an edition about which people complain', () => {
  forBothDatabases((open) => {
    it('raises an alert at 0.1 %, pauses at 0.3 %, and goes on when resumed, without another pause', async () => {
      const one = await simulate(await open(), [
        { domain: 'news.example', state: 'submitted', count: 3_000 },
        { domain: 'news.example', state: 'pending', count: 20 },
      ]);
      await one.report('complaint', [1, 2]);
      await one.look();
      expect(await one.alerts()).toEqual({});

      await one.report('complaint', [3, 3]);
      await one.look();
      expect(await one.alerts()).toEqual({
        [KEY]: expect.stringMatching(
          /^daily-roundup\/2026-11-24: 3 of 3000 recipients complained \(0\.1 %\)\. .*Nothing is paused\./,
        ),
      });
      await one.report('complaint', range(4, 8));
      await one.look();
      expect((await one.state()).delivery_state).toBe('delivering');

      await one.report('complaint', [9]);
      await one.look();
      const reason = '9 of 3000 recipients complained (0.3 %)';
      expect(await one.state()).toEqual({ delivery_state: 'paused', delivery_reason: reason });
      const alerts = await one.alerts();
      expect(Object.keys(alerts)).toEqual([KEY]);
      expect(alerts[KEY]).toContain(`${NAME}: ${reason}. Gmail and Yahoo ask senders to stay below 0.1 %`);
      expect(alerts[KEY]).toContain('Its delivery is paused: 20 deliveries wait.');
      expect(alerts[KEY]).toContain(
        `Once it is resumed, the same rate pauses nothing again. To see the numbers, use "daywire editions show ${NAME}"; ` +
          `to continue after the check, use "daywire editions resume ${NAME}"; ` +
          `to end it, use "daywire editions cancel ${NAME}".`,
      );
      expect((await deliverDue(one.app)).submitted).toBe(0);
      expect(await one.pending()).toBe(20);

      await resume(one.app, EDITION);
      expect(await one.alerts()).toEqual({});
      await one.report('complaint', range(10, 30));
      await one.look();
      await new RateWatch(one.app).look();
      expect(await one.alerts()).toEqual({});
      expect((await deliverDue(one.app)).submitted).toBe(20);
      expect((await one.state()).delivery_state).toBe('done');
    });

    it('is cancelled by the operator after the pause: nobody else gets it, and the alert ends', async () => {
      const rows: DeliveryRows[] = [
        { domain: 'news.example', state: 'submitted', count: 100 },
        { domain: 'news.example', state: 'pending', count: 5 },
      ];
      const one = await simulate(await open(), rows, withHigherLimits);
      await one.report('complaint', range(1, 6));
      await one.look();
      // Both levels at once are one alert.
      expect(Object.keys(await one.alerts())).toEqual([KEY]);
      expect(await cancel(one.app, one.editionId, 'too many complaints')).toBe(5);
      expect(await one.alerts()).toEqual({});
      await one.report('complaint', [7]);
      await one.look();
      expect(await one.alerts()).toEqual({});
    });

    it('raises an alert for the mailbox provider whose people complain, and pauses nothing', async () => {
      const rows: DeliveryRows[] = [
        { domain: 'gmail.com', state: 'submitted', count: 100 },
        { domain: 'googlemail.com', state: 'submitted', count: 20 },
        { domain: 'news.example', state: 'submitted', count: 300 },
        { domain: 'gmail.com', state: 'pending', count: 6 },
      ];
      const one = await simulate(await open(), rows, withHigherLimits);
      // 5 at gmail.com and one at googlemail.com: 5 % of 120, and 1.43 % of all.
      await one.report('complaint', [...range(1, 5), 101]);
      await one.look();
      const alerts = await one.alerts();
      expect(alerts).toEqual({
        [KEY]: expect.stringContaining('6 of 420 recipients complained (1.43 %)'),
        [`${KEY}:gmail`]: expect.stringMatching(
          /6 of 120 recipients at Gmail complained \(5 %\)\..* Nothing is paused\./,
        ),
      });
      expect((await deliverDue(one.app)).submitted).toBe(6);
      const edition = await findEditionById(one.app.store.db, one.editionId);
      const shown = formatEditionDetails(await readEditionDetails(one.app, edition as Edition));
      expect(shown).toContain('\nreported    6 complaints (1.41 %)\n');
      expect(shown).toContain('\n  2026-11-24T12:00:00Z: complaints at Gmail, 5 % of 120 messages: alert\n');
      expect(shown).toContain('\n  Gmail: 126 submitted, 6 complaints');
      await one.report('complaint', range(6, 9));
      await one.look();
      expect((await one.alerts())[`${KEY}:gmail`]).toBe(alerts[`${KEY}:gmail`]);
    });

    it('is paused by one of two processes that find the rate at once', async () => {
      const rows: DeliveryRows[] = [
        { domain: 'gmail.com', state: 'submitted', count: 100 },
        { domain: 'gmail.com', state: 'pending', count: 5 },
      ];
      const one = await simulate(await open(), rows, withHigherLimits);
      await one.report('complaint', range(1, 6));
      const watches = [new RateWatch(one.app), new RateWatch(one.app)];
      await Promise.all(watches.map((watch) => watch.look()));
      expect(watches.filter(({ hasPaused }) => hasPaused)).toHaveLength(1);
      expect((await one.state()).delivery_reason).toBe('6 of 100 recipients complained (6 %)');
      expect(Object.keys(await one.alerts())).toEqual([KEY, `${KEY}:gmail`]);
    });

    it('pauses nothing where that is off, and says so when all of it was submitted', async () => {
      const off = (config: Config) => withHigherLimits(config, 101);
      const store = await open();
      const one = await simulate(store, [{ domain: 'news.example', state: 'submitted', count: 100 }], off);
      await one.report('complaint', range(1, 20));
      await one.look();
      expect((await one.state()).delivery_state).toBe('delivering');
      expect((await one.alerts())[KEY]).toContain('20 of 100 recipients complained (20 %)');

      const next = await storeDeliveries(store, [{ domain: 'news.example', state: 'submitted', count: 100 }], {
        ...{ slot: '2026-11-25', number: 2, articleId: 'next', closedAt: NOW },
      });
      await store.db.updateTable('editions').set({ delivery_state: 'done' }).where('id', '=', next).execute();
      one.app.config.delivery.complaintRate.pause = 3;
      await one.report('complaint', range(51, 60), next);
      await one.look();
      const alert = (await one.alerts())['complaints:daily-roundup:2026-11-25:1'];
      expect(alert).toContain('The delivery of daily-roundup/2026-11-25 is over, so nothing of it can be paused.');
      expect(alert).toContain('"daywire editions hold daily-roundup"');
    });

    it('is judged apart from the revision that it replaces', async () => {
      const store = await open();
      const rows: DeliveryRows[] = [{ domain: 'news.example', state: 'submitted', count: 100 }];
      const one = await simulate(
        store,
        [...rows, { domain: 'news.example', state: 'pending', count: 2 }],
        withHigherLimits,
      );
      await one.report('complaint', range(1, 6));
      await one.look();
      expect((await one.state()).delivery_state).toBe('paused');
      const second = await storeDeliveries(store, [...rows, { domain: 'new.example', state: 'pending', count: 2 }], {
        ...{ revision: 2, articleId: 'second', closedAt: NOW },
      });
      const replaced = { superseded_by: second, delivery_state: 'cancelled' } as const;
      await store.db.updateTable('editions').set(replaced).where('id', '=', one.editionId).execute();
      await one.report('complaint', [7, 8], second);
      await one.report('complaint', [9]);
      await one.look();
      expect((await one.state(second)).delivery_state).toBe('delivering');
      await one.report('complaint', range(10, 13), second);
      await one.look();
      expect((await one.state(second)).delivery_state).toBe('paused');
      expect(Object.keys(await one.alerts())).toEqual([KEY, 'complaints:daily-roundup:2026-11-24:2']);
    });

    it('ends an alert when a later edition is a day old, or after a week', async () => {
      const store = await open();
      const rows: DeliveryRows[] = [{ domain: 'news.example', state: 'submitted', count: 300 }];
      const one = await simulate(store, rows, withHigherLimits);
      await one.report('complaint', [1, 2, 3]);
      await one.look();
      one.app.now = NOW + DAY;
      const next = { slot: '2026-11-25', number: 2, articleId: 'next', closedAt: NOW + DAY };
      const nextId = await storeDeliveries(store, rows, next);
      one.app.now = NOW + 2 * DAY - MINUTE;
      await one.look();
      expect(Object.keys(await one.alerts())).toEqual([KEY]);
      one.app.now = NOW + 2 * DAY;
      await one.report('complaint', [4, 5, 6], nextId);
      await one.look();
      expect(Object.keys(await one.alerts())).toEqual(['complaints:daily-roundup:2026-11-25:1']);
      one.app.now = NOW + 8 * DAY - MINUTE;
      await one.look();
      expect(Object.keys(await one.alerts())).toHaveLength(1);
      one.app.now = NOW + 8 * DAY;
      await one.look();
      expect(await one.alerts()).toEqual({});
    });

    it('is judged by the messages that the mail provider has delivered, once it reports nearly all', async () => {
      const store = await open();
      const rows: DeliveryRows[] = [{ domain: 'news.example', state: 'submitted', count: 330 }];
      const one = await simulate(store, rows, withHigherLimits);
      await one.report('complaint', [1, 2, 3]);
      await one.look();
      expect(await one.alerts()).toEqual({});
      const delivered = async (count: number): Promise<void> => {
        await store.db.deleteFrom('delivered_counts').execute();
        await store.db
          .insertInto('delivered_counts')
          .values({ edition_id: one.editionId, slot: 0, count: count - 2 })
          .execute();
        await store.db.transaction().execute((tx) => countDelivered(tx, one.editionId, 2));
      };
      // It has just begun to report: 3 of 10 would be 30 %.
      await delivered(10);
      await new RateWatch(one.app).look();
      expect(await one.alerts()).toEqual({});
      await delivered(300);
      await new RateWatch(one.app).look();
      expect((await one.alerts())[KEY]).toContain('3 of 300 recipients complained (1 %)');
    });
  });
});

describe('an edition with bounces', () => {
  forBothDatabases((open) => {
    it('counts each recipient once, reported or rejected during the submission, and pauses at 5 %', async () => {
      const store = await open();
      const one = await simulate(store, [
        { domain: 'news.example', state: 'submitted', count: 460 },
        { domain: 'gone.example', state: 'failed', count: 20, reply: '550 5.1.1 no such user' },
        // About the sender, and without a reply: neither is about the address.
        { domain: 'policy.example', state: 'failed', count: 30, reply: '550 5.7.1 refused' },
        { domain: 'expired.example', state: 'failed', count: 30 },
        { domain: 'news.example', state: 'pending', count: 4 },
      ]);
      await one.look();
      const key = 'bounces:daily-roundup:2026-11-24:1';
      expect((await one.alerts())[key]).toContain('20 of 480 recipients could not be reached (4.17 %)');
      await one.report('soft', range(100, 150));
      // Reported as well, as happens when the edition is done.
      await one.report('hard', [461, 462, 1, 2, 3, 4]);
      await one.look();
      expect((await one.state()).delivery_state).toBe('paused');
      expect((await one.state()).delivery_reason).toBe('24 of 480 recipients could not be reached (5 %)');
    });
  });
});
