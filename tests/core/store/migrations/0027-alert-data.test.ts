import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { expect, it } from 'vitest';
import { ALERT_KINDS } from '../../../../src/app/capabilities.ts';
import type { AlertId } from '../../../../src/core/alerts/alert-kind.ts';
import { listOpenAlerts, resolveAlerts } from '../../../../src/core/alerts/alerts.ts';
import { runAlert } from '../../../../src/core/schedule/run-slot.ts';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { migrate } from '../../../../src/core/store/schema.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import {
  DELIVERY_STOPPED,
  pauseAlert,
  retractionAlert,
  SERVICE_MESSAGES_REFUSED,
  unbuildableAlert,
  undeliveredAlert,
} from '../../../../src/delivery/alerts.ts';
import { rateAlert } from '../../../../src/delivery/rates/rate-alerts.ts';
import { sendAlert } from '../../../../src/editions/draft/closing-alerts.ts';
import { heldAlert } from '../../../../src/outlets/items/held-items.ts';
import { failureAlert } from '../../../../src/own-sites/poll-sources.ts';
import { incompleteAlert, withdrawalAlert } from '../../../../src/own-sites/sweep.ts';
import { openAlerts } from '../../../support/alerts.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

const revision = { newsletter: 'daily', slot: '2026-11-24', revision: 1 };
const TOPIC = 'arn:aws:sns:eu-west-1:1:mail';

/** Alerts as they are now, by the key that they had before, with the key that they have where it is another one. */
const ALERTS: Record<string, readonly [alert: AlertId, key?: string]> = {
  'failed:publish': [runAlert('failed', 'publish')],
  'waiting:newsletter:daily': [runAlert('waiting', 'newsletter:daily')],
  webhook: [{ kind: 'webhook', subject: {} }],
  heartbeat: [{ kind: 'heartbeat', subject: {} }],
  delivery: [DELIVERY_STOPPED],
  'service-messages': [SERVICE_MESSAGES_REFUSED],
  'service-messages:confirm': [unbuildableAlert('confirm')],
  'edition:17': [pauseAlert(17)],
  'edition:17:mail.example.com': [pauseAlert(17, 'mail.example.com')],
  'retraction:17': [retractionAlert(17)],
  'undelivered:17': [undeliveredAlert(17)],
  'complaints:daily/2026-11-24': [rateAlert('complaint', revision, ''), 'complaints:daily:2026-11-24:1'],
  'bounces:daily/2026-11-24@2:gmail': [
    rateAlert('bounce', { ...revision, revision: 2 }, 'gmail'),
    'bounces:daily:2026-11-24:2:gmail',
  ],
  'approval-reminder:daily:2026-11-24:15': [
    { kind: 'approval-reminder', subject: { newsletter: 'daily', slot: '2026-11-24', minutes: 15 } },
  ],
  'approval-changed:daily': [{ kind: 'approval-changed', subject: { newsletter: 'daily' } }],
  'send:daily': [sendAlert('daily')],
  'unconfigured:daily': [{ kind: 'unconfigured', subject: { newsletter: 'daily' } }],
  'stranded-draft:daily/2026-11-24': [
    { kind: 'stranded-draft', subject: { newsletter: 'daily', slot: '2026-11-24' } },
    'stranded-draft:daily:2026-11-24',
  ],
  'source:times': [failureAlert('times')],
  'incomplete:times': [incompleteAlert('times')],
  'withdrawals:times': [withdrawalAlert('times')],
  'outlet:held:post': [heldAlert('post'), 'outlet-held:post'],
  'outlet:feed:post': [{ kind: 'outlet-feed', subject: { source: 'post' } }, 'outlet-feed:post'],
  [`mail-provider:ended:${TOPIC}`]: [
    { kind: 'mail-provider-ended', subject: { topic: TOPIC } },
    `mail-provider-ended:${TOPIC}`,
  ],
};

async function openFormer(databaseUrl: string | undefined): Promise<Store> {
  const store = await openStore({ databaseUrl, path: ':memory:' });
  const former = Object.entries(MIGRATIONS).filter(([name]) => name < '0027');
  const migrations = former.map(([name, up]) => [name, { up: (db: Kysely<unknown>) => up(db, store.dialect) }]);
  const provider = { getMigrations: async () => Object.fromEntries(migrations) };
  const { error } = await new Migrator({ db: store.db, provider }).migrateToLatest();
  if (error !== undefined) throw error;
  return store;
}

it.each(['sqlite', 'postgres'])(
  'keeps the open alerts of a %s store, which have a kind and a subject and can be resolved',
  async (dialect) => {
    const store = await openFormer(dialect === 'postgres' ? await newPostgresUrl('empty') : undefined);
    try {
      for (const key of Object.keys(ALERTS)) {
        await sql`insert into alerts (key, message, first_at, last_at, count, notified_at)
          values (${key}, ${`about ${key}`}, 1000, 2000, 3, 1500)`.execute(store.db);
      }
      expect(await migrate(store)).toContain('0027-alert-data');
      const open = await openAlerts(store.db);
      expect(Object.fromEntries(open.map((alert) => [alert.message, alert]))).toEqual(
        Object.fromEntries(
          Object.entries(ALERTS).map(([formerKey, [alert, key = formerKey]]) => {
            const message = `about ${formerKey}`;
            const counts = { firstAt: 1_000, lastAt: 2_000, count: 3, notifiedAt: 1_500, resolvedAt: null };
            return [message, { ...alert, key, message, actions: [], ...counts }];
          }),
        ),
      );
      expect(open.filter(({ kind }) => !ALERT_KINDS.has(kind))).toEqual([]);
      await resolveAlerts(
        store.db,
        Object.values(ALERTS).map(([alert]) => alert),
        5_000,
      );
      expect(await listOpenAlerts(store.db)).toEqual([]);
    } finally {
      await store.close();
    }
  },
);
