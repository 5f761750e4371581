import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRecordingProcess } from '../../src/app/background-tasks.ts';
import { openHealth } from '../../src/app/health.ts';
import { createApp } from '../../src/app/routes/app.ts';
import { raiseAlert } from '../../src/core/alerts/alerts.ts';
import { RECORD_EVERY, readProcesses, recordProcess, recordStop } from '../../src/core/schedule/processes.ts';
import { registerSchedules } from '../../src/core/schedule/register.ts';
import { syncRoleAlerts } from '../../src/core/schedule/role-alerts.ts';
import { DELIVERY_STOPPED } from '../../src/delivery/alerts.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { openAlerts } from '../support/alerts.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';
import { openTestSite } from './test-site.ts';

const PROCESS = { host: 'news-1', pid: 7, scope: null, version: '1.2.3', startedAt: NOW - HOUR };
const scheduler = { ...PROCESS, id: 'scheduler', roles: ['schedule'] };

forEachDatabase((open) => {
  it('raises one alert for all roles of a killed process, and resolves it when they are back', async () => {
    const { db } = await open();
    const sync = async (now: number): Promise<string[]> => {
      await syncRoleAlerts(db, now, () => true);
      return (await openAlerts(db)).map(({ message }) => message);
    };
    await recordProcess(db, { ...PROCESS, id: 'both', roles: ['schedule', 'deliver'] }, NOW);
    await recordProcess(db, { ...PROCESS, id: 'web', roles: ['web'] }, NOW + HOUR);
    expect(await sync(NOW + 44 * SECOND)).toEqual([]);
    expect(await sync(NOW + HOUR)).toEqual([
      'No process of role schedule, deliver since 2026-11-24T12:00:00Z: process 7 on news-1 ended without being ' +
        'stopped. Start one: "daywire start --role schedule deliver", or one with all roles.',
    ]);
    await recordProcess(db, scheduler, NOW + HOUR);
    expect(await sync(NOW + HOUR)).toEqual([expect.stringMatching(/^No process of role deliver since/)]);
    await recordProcess(db, { ...PROCESS, id: 'deliverer', roles: ['deliver'] }, NOW + HOUR);
    expect(await sync(NOW + HOUR)).toEqual([]);
  });

  it('gives a process that was stopped five minutes, and misses only what nobody would notice', async () => {
    const { db } = await open();
    await recordProcess(db, scheduler, NOW);
    await recordProcess(db, { ...PROCESS, id: 'pages', roles: ['web', 'desk'] }, NOW);
    for (const id of ['scheduler', 'pages']) await recordStop(db, id, NOW);
    await syncRoleAlerts(db, NOW + 5 * MINUTE - 1, () => true);
    expect(await openAlerts(db)).toEqual([]);
    await syncRoleAlerts(db, NOW + 5 * MINUTE, () => true);
    expect(await openAlerts(db)).toMatchObject([
      {
        key: 'process:scheduler',
        message: expect.stringMatching(/^No process of role schedule since .* was stopped\./),
      },
    ]);
  });
});

describe('a process that records itself', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  const pass = async (app: TestApp, ms: number): Promise<void> => {
    for (const end = app.now + ms; app.now < end; ) {
      app.now += 5 * SECOND;
      await vi.advanceTimersByTimeAsync(5 * SECOND);
    }
  };
  const alerted = async ({ store }: TestApp): Promise<string[]> =>
    (await openAlerts(store.db)).map(({ message }) => message.split(':')[0] as string);

  it('raises the alert within a minute after another one was killed', async () => {
    const app = openTestApp(await openMigrated());
    const web = await startRecordingProcess(app, ['web']);
    await pass(app, HOUR);
    await recordProcess(app.store.db, scheduler, app.now);
    await pass(app, 40 * SECOND);
    expect(await alerted(app)).toEqual([]);
    await pass(app, 15 * SECOND);
    expect(await alerted(app)).toEqual(['No process of role schedule since 2026-11-24T13']);
    const back = await startRecordingProcess(app, ['schedule']);
    await pass(app, 5 * SECOND);
    expect(await alerted(app)).toEqual([]);
    await back.stop();
    await web.stop();
  });

  it('does not take an outage of the store for the end of the other processes', async () => {
    const app = openTestApp(await openMigrated());
    const web = await startRecordingProcess(app, ['web']);
    await recordProcess(app.store.db, scheduler, app.now);
    await app.store.db.schema.alterTable('processes').renameTo('hidden').execute();
    await pass(app, 10 * MINUTE);
    await app.store.db.schema.alterTable('hidden').renameTo('processes').execute();
    await pass(app, 40 * SECOND);
    expect(await alerted(app)).toEqual([]);
    await pass(app, 20 * SECOND);
    expect(await alerted(app)).toHaveLength(1);
    await web.stop();
  });

  it('tells of an outage that ends with its start, but of no quick restart and no stop', async () => {
    const app = openTestApp(await openMigrated());
    const roles = ['web', 'schedule'];
    const outages = async () => (await app.store.db.selectFrom('alerts').selectAll().execute()).map((row) => row.count);
    await recordProcess(app.store.db, { ...PROCESS, id: 'killed', roles }, app.now);
    app.now += MINUTE;
    await (await startRecordingProcess(app, roles)).stop();
    app.now += HOUR;
    await (await startRecordingProcess(app, roles)).stop();
    expect(await outages()).toEqual([]);
    app.now += SECOND;
    await recordProcess(app.store.db, { ...PROCESS, id: 'killed', roles }, app.now);
    app.now += HOUR;
    const started = await startRecordingProcess(app, roles);
    expect(await outages()).toEqual([1]);
    await pass(app, RECORD_EVERY);
    expect(await alerted(app)).toEqual([]);
    await started.stop();
    expect((await readProcesses(app.store.db)).filter(({ stoppedAt }) => stoppedAt === app.now)).toHaveLength(1);
  });
});

describe('/healthz', () => {
  const stoppedOf = async (app: TestApp): Promise<string[]> => openHealth(app)();

  it('names the roles without a process, a server that accepts nothing, and slots that nobody has taken', async () => {
    const app = openTestApp(await openMigrated(), { feeds: ['latest'] });
    const { db } = app.store;
    const daily = { id: 'newsletter:daily-roundup', schedule: { cron: '0 12 * * *', zone: 'UTC', graceMinutes: 60 } };
    await registerSchedules(db, [daily] as Parameters<typeof registerSchedules>[1], NOW - 2 * HOUR);
    app.now = NOW + 13 * HOUR;
    // As where "daywire start --once" runs from time to time.
    expect(await stoppedOf(app)).toEqual([]);
    await recordProcess(db, { ...scheduler }, app.now);
    expect(await stoppedOf(app)).toEqual([
      expect.stringMatching(/^newsletter:daily-roundup is late: its slot of 2026-11-2\dT/),
    ]);
    await recordProcess(db, { ...PROCESS, id: 'killed', roles: ['deliver'] }, NOW);
    await raiseAlert(db, { ...DELIVERY_STOPPED, message: 'mail.example.com refuses' }, NOW);
    expect((await stoppedOf(app)).slice(0, 2)).toEqual([
      'no process of role deliver since 2026-11-24T12:00:00Z',
      'nothing is submitted since 2026-11-24T12:00:00Z',
    ]);
  });

  it('names a disk that is full, and then no role: none could record that it runs', async () => {
    const app = openTestApp(await openMigrated(), { feeds: ['latest'] });
    await recordProcess(app.store.db, { ...PROCESS, id: 'web', roles: ['web'] }, NOW);
    app.now = NOW + HOUR;
    app.alerts.storage.set('feeds', 'The folder of feeds feeds cannot be written: no space left on device (ENOSPC).');
    expect(await stoppedOf(app)).toEqual([
      'the folder of feeds cannot be written',
      'no process of role web since 2026-11-24T12:00:00Z',
    ]);
    expect(app.alerts.storage.failing()).toMatchObject([
      { message: expect.stringMatching(/ENOSPC\)\. Free space on its disk: the work goes on by itself\.$/) },
    ]);
    app.alerts.storage.set('store', 'Full.');
    expect(await stoppedOf(app)).toEqual(['the store cannot be written']);
  });

  it('and /readyz say that another program locks the store, and nothing else', async () => {
    const store = await openMigrated();
    store.faults.lockedSince = performance.now();
    const site = createApp(
      { ...openTestApp(store), secrets: SECRETS },
      { findStopped: async () => ['no process of role web'] },
    );
    for (const path of ['/readyz', '/healthz']) {
      const answer = await site.request(path);
      expect([answer.status, await answer.json()]).toEqual([
        503,
        { ok: false, database: 'locked by another program', stopped: [] },
      ]);
    }
    expect((await site.request('/')).status).toBe(200);
  });

  it('responds with 503 then, while pages and /readyz go on', async () => {
    const app = openTestApp(await openMigrated());
    const options = { ...app, secrets: await app.keys.signingSecrets() };
    const site = createApp(options, { findStopped: async () => ['no process of role schedule'] });
    const health = await site.request('/healthz');
    expect([health.status, await health.json()]).toEqual([
      503,
      { ok: false, database: 'reachable', stopped: ['no process of role schedule'] },
    ]);
    for (const path of ['/readyz', '/livez', '/']) expect((await site.request(path)).status).toBe(200);
  });

  it('and /readyz respond with 503 after the migration of a newer version', async () => {
    const store = await openMigrated();
    const site = openTestSite(store);
    expect((await site.get('/readyz')).status).toBe(200);
    const later = { name: '9999-later', timestamp: '2026-11-24' };
    await store.db
      .withTables<{ kysely_migration: typeof later }>()
      .insertInto('kysely_migration')
      .values(later)
      .execute();
    const answer = await site.get('/readyz');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { ok: false, database: 'has the schema of another version: run "daywire migrate"', stopped: [] },
    ]);
  });
});
