import { describe, expect, it } from 'vitest';
import { formatStatus } from '../../src/app/cli/status.ts';
import { readStatus, type Status } from '../../src/app/status.ts';
import { raiseAlert } from '../../src/core/alerts/alerts.ts';
import type { AppContext } from '../../src/core/app-context.ts';
import type { Config } from '../../src/core/config/config.ts';
import { listProcesses, recordProcess, recordStop } from '../../src/core/schedule/processes.ts';
import { DELIVERY_HELD, writeMeta } from '../../src/core/store/meta.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { addConfirmed } from '../audience/fixtures.ts';
import { testConfig } from '../delivery/fixture.ts';
import { subscriptionRow } from '../feeds/hub/rows.ts';
import { alertNamed } from '../support/alerts.ts';
import { article, saveAll } from '../support/articles.ts';
import { forEachDatabase } from '../support/databases.ts';
import { storeDeliveries } from '../support/deliveries.ts';
import { publishDocuments } from '../support/documents.ts';
import { storeEdition, storeServiceMessage } from '../support/editions.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);

function read(store: Store, delivery: Partial<Config['delivery']> = {}): Promise<Status> {
  return readStatus({ store, config: testConfig({ delivery }) } as AppContext, NOW);
}

/** The lines of one block of the text. */
function block(status: Status, title: string): string[] {
  const [, text = ''] = formatStatus(status).split(`\n\n${title}\n`);
  return text
    .split('\n\n')[0]!
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim());
}

const saveEdition = (store: Store, number: number): Promise<number> =>
  storeEdition(store, {
    ...{ newsletter: 'daily', number, closed_at: NOW, slot_at: NOW + number, headline: 'Tech Roundup: A, B' },
  });

function saveDelivery(store: Store, edition: number, subscriber: number, rest: object) {
  return storeDeliveries(store, edition, [{ subscriber_id: subscriber, due_at: NOW, changed_at: NOW, ...rest }]);
}

describe('the status', () => {
  forEachDatabase((open) => {
    it('reports why an edition is paused, and counts deliveries that were rolled up into totals', async () => {
      const store = await open();
      const edition = await saveEdition(store, 1);
      await saveEdition(store, 2);
      await saveDelivery(store, edition, 1, { state: 'submitted' });
      await store.db
        .insertInto('delivery_totals')
        .values({ edition_id: edition, state: 'submitted', count: 41 })
        .execute();
      await store.db
        .updateTable('editions')
        .set({ delivery_state: 'paused', delivery_reason: 'the server said 535' })
        .where('id', '=', edition)
        .execute();
      const status = await read(store);
      expect(status.editions).toMatchObject([
        { slot: '2026-11-22', deliveryState: 'delivering', reason: null, deliveries: {} },
        { slot: '2026-11-21', deliveryState: 'paused', reason: 'the server said 535', deliveries: { submitted: 42 } },
      ]);
      expect(block(status, 'editions')).toEqual([
        'daily/2026-11-22, number 2: Tech Roundup: A, B (no deliveries)',
        'daily/2026-11-21, number 1: Tech Roundup: A, B (42 submitted); paused: the server said 535',
      ]);
    });

    it('lists the articles that an edition passed over in the JSON', async () => {
      const store = await open();
      const edition = await saveEdition(store, 1);
      await saveAll(
        store,
        ['a', 'b', 'c', 'd'].map((id) => article(id)),
      );
      const row = { edition_id: edition, reason: 'aged-out' as const };
      await store.db
        .insertInto('edition_omissions')
        .values([
          { ...row, article_id: 'c' },
          { ...row, article_id: 'a' },
          { ...row, article_id: 'b', reason: 'did-not-fit' },
          { ...row, article_id: 'd', reason: 'dropped' },
        ])
        .execute();
      const status = await read(store);
      expect(status.editions[0]?.passedOver).toEqual({ agedOut: ['a', 'c'], didNotFit: ['b'], dropped: ['d'] });
    });

    it('shows the limits while deliveries wait, and how many messages of 24 hours count', async () => {
      const store = await open();
      const edition = await saveEdition(store, 1);
      const ada = await addConfirmed(store, 'ada@example.com');
      const limits = { perSecond: 14, perDay: 1_000 };
      await store.db
        .insertInto('submission_counts')
        .values({ quarter: NOW - HOUR, count: 300 })
        .execute();
      const idle = await read(store, limits);
      expect(idle.queue.limits).toEqual({ ...limits, lastDay: 300 });
      expect(block(idle, 'delivery')).toEqual([]);
      await saveDelivery(store, edition, ada, { state: 'pending', due_at: NOW + HOUR });
      expect(block(await read(store, limits), 'delivery')).toEqual([
        'at most 14 messages a second, 300 of 1000 in 24 hours',
        'next due at 2026-11-24T08:30:00Z (16:30)',
      ]);
    });

    it('reports a held queue, the next due delivery, and how to settle uncertain ones', async () => {
      const store = await open();
      const edition = await saveEdition(store, 1);
      const ada = await addConfirmed(store, 'ada@example.com');
      await saveDelivery(store, edition, ada, { state: 'submitting', lease_until: NOW - 1, due_at: NOW + HOUR });
      await saveDelivery(store, edition, ada + 1, {
        state: 'submitting',
        lease_until: NOW + MINUTE,
        due_at: NOW + HOUR,
      });
      await writeMeta(store.db, DELIVERY_HELD, 'restored from a backup');
      const status = await read(store);
      expect(status.queue).toEqual({
        held: 'restored from a backup',
        limits: null,
        backOff: null,
        providers: [],
        expiring: [],
        nextDue: '2026-11-24T08:30:00Z',
        uncertainDeliveries: [
          { newsletter: 'daily', slot: '2026-11-21', email: 'ada@example.com', since: '2026-11-24T07:30:00Z' },
        ],
        uncertainCount: 1,
      });
      expect(block({ ...status, queue: { ...status.queue, uncertainCount: 3 } }, 'delivery')).toEqual([
        'HELD, no message is submitted: restored from a backup: to release it, use "daywire queue release"',
        'next due at 2026-11-24T08:30:00Z (16:30)',
        'uncertain since 2026-11-24T07:30:00Z (15:30): daily/2026-11-21 for ada@example.com',
        'and 2 more that are uncertain',
        'settle one with "daywire editions settle EDITION ADDRESS --as submitted", or "--as retry"; all of an ' +
          'edition with --all instead of ADDRESS',
      ]);
    });

    it('counts suppressed addresses, bounces and service messages', async () => {
      const store = await open();
      await store.db.insertInto('suppressions').values({ address_hash: 'a', reason: 'erased', at: NOW }).execute();
      await store.db.insertInto('bounces').values({ subscriber_id: 1, kind: 'hard', at: NOW }).execute();
      await storeServiceMessage(store, { subscriber_id: 1, state: 'pending', changed_at: NOW });
      const status = await read(store);
      expect(block(status, 'subscribers')).toEqual([
        'suppressed: 1 erased',
        'bounces on record: 1 hard',
        'service messages: 1 pending',
      ]);
    });

    it('fits on one screen after a long time and many failures', async () => {
      const store = await open();
      for (let number = 1; number <= 12; number++) {
        const edition = await saveEdition(store, number);
        await saveDelivery(store, edition, await addConfirmed(store, `r${number}@example.com`), { state: 'failed' });
        const passed = { edition_id: edition, reason: 'aged-out' as const, article_id: `daily-${number}` };
        await store.db.insertInto('edition_omissions').values(passed).execute();
      }
      const place = { stage: 'import' as const, source: 'in.jsonl', problems: '["bad"]', raw: '' };
      await store.db
        .insertInto('rejections')
        .values(Array.from({ length: 40 }, (_, line) => ({ ...place, key: `${line}`, line, rejected_at: NOW })))
        .execute();
      const run = { schedule: 'publish', state: 'done' as const, covers: 1, attempts: 1, started_at: NOW };
      await store.db
        .insertInto('runs')
        .values(Array.from({ length: 40 }, (_, n) => ({ ...run, slot_at: NOW - n * MINUTE })))
        .execute();
      for (let n = 0; n < 60; n++) {
        await publishDocuments(store, [{ path: `feed-${n}.atom`, mediaType: '', body: 'xx' }], NOW - n * MINUTE);
      }
      const status = await read(store);
      expect(formatStatus(status).split('\n').length).toBeLessThanOrEqual(60);
      expect(block(status, 'feeds')).toEqual([
        '60 documents, 120 bytes, changed from 2026-11-24T06:31:00Z (14:31) to 2026-11-24T07:30:00Z (15:30)',
      ]);
      expect(block(status, 'rejected').at(-1)).toBe('and 34 more: "daywire rejected list"');
      expect(block(status, 'editions')).toHaveLength(7);
    });

    it('reports the newest run of each schedule, even after many runs of others', async () => {
      const store = await open();
      const [newsletter] = testConfig().newsletters;
      const id = `newsletter:${newsletter?.id}`;
      await store.db.insertInto('schedules').values({ id, cron: '', zone: '', since: NOW }).execute();
      const run = { covers: 1, attempts: 1, started_at: NOW };
      await store.db
        .insertInto('runs')
        .values([
          { ...run, schedule: id, state: 'skipped', reason: 'too few stories', slot_at: NOW - 300 * MINUTE },
          ...Array.from({ length: 30 }, (_, n) => ({
            ...run,
            schedule: 'publish',
            state: 'done' as const,
            slot_at: NOW - n * 10 * MINUTE,
          })),
        ])
        .execute();
      const status = await read(store);
      expect(status.schedules.find((one) => one.id === id)?.last).toEqual({
        slot: '2026-11-24T02:30:00Z',
        state: 'skipped',
        reason: 'too few stories',
      });
      expect(block(status, 'schedule').find((line) => line.startsWith(id))).toMatch(
        /last run of 2026-11-24T02:30:00Z \(10:30\): skipped$/,
      );
    });

    it('counts the subscriptions at its hub', async () => {
      const store = await open();
      const failing = { failing_since: NOW - HOUR, reason: 'it answered 500' };
      await store.db
        .insertInto('hub_subscriptions')
        .values([
          subscriptionRow('a', NOW),
          subscriptionRow('b', NOW, { topic: 'latest.rss', ...failing }),
          subscriptionRow('expired', NOW, { expires_at: NOW, ...failing }),
        ])
        .execute();
      const hub = `${testConfig().publication.url}/hub`;
      expect(block(await read(store), 'hub')).toEqual([`${hub}: 2 subscriptions, 1 failing`]);
    });

    it('begins with the open alerts and the running processes, with local times', async () => {
      const store = await open();
      const other = { host: 'news-1', pid: 7, scope: null, roles: ['web'] };
      const process = { ...other, version: '1.2.3', startedAt: NOW - 9 * HOUR };
      expect(block(await read(store), 'processes')).toEqual(['no daywire is running']);
      await recordProcess(store.db, { ...process, id: 'killed' }, NOW - MINUTE);
      await recordProcess(store.db, { ...process, id: 'stopped', pid: 8 }, NOW);
      await recordStop(store.db, 'stopped', NOW);
      expect(block(await read(store), 'processes')).toEqual([
        'no daywire is running',
        'news-1, process 7: web, version 1.2.3: not seen since 2026-11-24T07:29:00Z (15:29)',
      ]);
      await recordProcess(store.db, { ...process, id: 'running', pid: 9, roles: ['schedule', 'deliver'] }, NOW - HOUR);
      await recordProcess(store.db, { ...process, id: 'running', pid: 9 }, NOW);
      await raiseAlert(store.db, { ...alertNamed('heartbeat'), message: 'It failed.' }, NOW - 16 * HOUR);
      const [header, ...lines] = formatStatus(await read(store)).split('\n');
      expect(header).toMatch(/, 2026-11-24T07:30:00Z \(15:30\), Asia\/Shanghai, /);
      expect(lines.slice(1, 7)).toEqual([
        'alerts',
        '  heartbeat (1 time since 2026-11-23T15:30:00Z (23:30)): It failed.',
        '',
        'processes',
        '  news-1, process 7: web, version 1.2.3: not seen since 2026-11-24T07:29:00Z (15:29)',
        '  news-1, process 9: schedule, deliver, version 1.2.3, since 2026-11-23T22:30:00Z (2026-11-24 06:30)',
      ]);
      // The clock was set back since it was killed: a running process has been seen by the new one.
      await recordProcess(store.db, { ...process, id: 'killed' }, NOW + 3 * HOUR);
      expect((await listProcesses(store.db, NOW)).map(({ pid, isRunning }) => [pid, isRunning])).toEqual([
        [7, false],
        [9, true],
      ]);
      // One that was killed is forgotten after a day, if one of its roles has been seen since; else after a week.
      const pidsAfter = async (days: number): Promise<number[]> => {
        await recordProcess(store.db, { ...process, id: 'running', pid: 9 }, NOW + days * DAY);
        return (await listProcesses(store.db, NOW + days * DAY)).map(({ pid }) => pid);
      };
      expect(await pidsAfter(2)).toEqual([7, 9]);
      const later = { ...process, id: 'later', pid: 11, startedAt: NOW };
      await recordProcess(store.db, later, NOW + 2 * DAY);
      expect(await pidsAfter(2)).toEqual([9, 11]);
      expect(await pidsAfter(8)).toEqual([9, 11]);
      expect(await pidsAfter(10)).toEqual([9]);
    });

    it('tells at once that a process was killed, but only where its process id is unique', async () => {
      const { db } = await open();
      const record = { host: 'news-1', roles: ['web'], version: '1.2.3', startedAt: NOW };
      // The last one runs in a container that has the same host name, and was started by an earlier version.
      for (const [pid, scope] of [
        [7, 'here'],
        [8, 'here'],
        [9, 'in a container'],
        [10, null],
      ] as const) {
        await recordProcess(db, { ...record, id: String(pid), pid, scope }, NOW);
      }
      const runningFrom = async (scope: string | null): Promise<number[]> => {
        const processes = await listProcesses(db, NOW, { scope, exists: (pid) => pid === 7 });
        return processes.flatMap(({ pid, isRunning }) => (isRunning ? [pid] : []));
      };
      expect(await runningFrom('here')).toEqual([10, 7, 9]);
      expect(await runningFrom(null)).toEqual([10, 7, 8, 9]);
    });

    it('omits blocks that are empty', async () => {
      const status = await read(await open());
      expect(formatStatus(status)).not.toMatch(/delivery|requests since|passed over|suppressed|HELD|hub/);
    });
  });
});
