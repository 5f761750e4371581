import { afterEach, describe, expect, it, vi } from 'vitest';
import { type AlertSender, openAlertSender, raiseAlert, resolveAlerts } from '../../../src/core/alerts/alerts.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { callHeartbeat } from '../../../src/delivery/monitor/heartbeat.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { alertNamed, openAlerts } from '../../support/alerts.ts';
import { clockAt, type TestClock } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { openTestLog, type TestLog } from '../../support/test-log.ts';
import { openTwice } from '../schedule/two-processes.ts';
import { startWebServer, type WebServer } from '../schedule/web-server.ts';

const noon = Date.UTC(2026, 10, 24, 12);
const disk = { ...alertNamed('failed:publish'), message: 'publish failed: no space left.' };

afterEach(() => {
  vi.restoreAllMocks();
});

interface Scene {
  store: Store;
  at: TestClock;
  log: TestLog;
  web: WebServer;
  sender: AlertSender;
}

function senderOf(store: Store, { at, log, web }: Pick<Scene, 'at' | 'log' | 'web'>): AlertSender {
  return openAlertSender(store, { webhook: web.url, publication: 'The Meridian Wire', clock: at.clock, log });
}

async function setUp(open: () => Promise<Store>): Promise<Scene> {
  const store = await open();
  const scene = { at: clockAt(noon), log: openTestLog(), web: await startWebServer() };
  return { ...scene, store, sender: senderOf(store, scene) };
}

const notified = (web: WebServer): unknown[] =>
  web.requests.map(({ body }) => {
    const { state, key } = JSON.parse(body) as { state: string; key: string };
    return `${state} ${key}`;
  });

forBothDatabases((open, dialect) => {
  describe('an alert', () => {
    it('is posted as JSON with publication, subject, message and commands', async () => {
      const { store, web, sender } = await setUp(open);
      const actions = [{ to: 'see why', command: 'status', desk: null }];
      await raiseAlert(store.db, { ...disk, actions }, noon);
      await sender.send();
      expect(web.requests).toMatchObject([
        { method: 'POST', path: '/hook?key=s3cret', contentType: 'application/json' },
      ]);
      expect(JSON.parse(web.requests[0]?.body ?? '')).toEqual({
        publication: 'The Meridian Wire',
        state: 'raised',
        key: 'failed:publish',
        kind: 'failed',
        subject: { of: 'publish' },
        message: 'publish failed: no space left. To see why, use "daywire status".',
        commands: ['status'],
        count: 1,
        first_at: '2026-11-24T12:00:00Z',
        last_at: '2026-11-24T12:00:00Z',
        resolved_at: null,
        text: 'The Meridian Wire: publish failed: no space left. To see why, use "daywire status".',
      });
    });

    it('is posted once for each key, however often it is raised, and once when it is resolved', async () => {
      const { store, at, web, sender } = await setUp(open);
      for (let time = 0; time < 3; time++) {
        await raiseAlert(store.db, disk, at.now);
        await raiseAlert(store.db, { ...alertNamed('late:publish'), message: 'Late.' }, at.now);
        await sender.send();
        at.now += MINUTE;
      }
      expect(notified(web)).toEqual(['raised failed:publish', 'raised late:publish']);
      expect(await openAlerts(store.db)).toMatchObject([
        { ...disk, firstAt: noon, lastAt: noon + 2 * MINUTE, count: 3, notifiedAt: noon },
        { key: 'late:publish' },
      ]);
      for (let time = 0; time < 3; time++) {
        await resolveAlerts(store.db, [disk], at.now);
        await sender.send();
      }
      expect(notified(web).slice(2)).toEqual(['resolved failed:publish']);
      expect((await openAlerts(store.db)).map((alert) => alert.key)).toEqual(['late:publish']);
    });

    it('is posted again when it is raised after it was resolved', async () => {
      const { store, at, web, sender } = await setUp(open);
      await raiseAlert(store.db, disk, at.now);
      await sender.send();
      // All within one millisecond: order, not time, decides.
      await resolveAlerts(store.db, [disk], at.now);
      await sender.send();
      at.now += SECOND;
      await raiseAlert(store.db, disk, at.now);
      await sender.send();
      expect(notified(web)).toEqual(['raised', 'resolved', 'raised'].map((state) => `${state} failed:publish`));
      expect(await openAlerts(store.db)).toMatchObject([{ count: 1, firstAt: noon + SECOND }]);
    });

    it('is posted within a day if it was raised and resolved while the webhook failed', async () => {
      const { store, at, web, sender } = await setUp(open);
      await raiseAlert(store.db, disk, at.now - 2 * DAY);
      await resolveAlerts(store.db, [disk], at.now - DAY);
      await raiseAlert(store.db, { ...alertNamed('late:publish'), message: 'Late.' }, at.now - HOUR);
      await resolveAlerts(store.db, [alertNamed('late:publish')], at.now - MINUTE);
      await sender.send();
      await sender.send();
      expect(notified(web)).toEqual(['resolved late:publish']);
    });

    it('is kept where no webhook is configured', async () => {
      const { store, at, log } = await setUp(open);
      await raiseAlert(store.db, disk, noon);
      await openAlertSender(store, { webhook: undefined, publication: 'W', clock: at.clock, log }).send();
      expect(await openAlerts(store.db)).toMatchObject([{ ...disk, notifiedAt: null }]);
    });

    it('is sent by one process at a time', async () => {
      const [store, other] = await openTwice(dialect);
      const scene = { at: clockAt(noon), log: openTestLog(), web: await startWebServer() };
      await raiseAlert(store.db, disk, noon);
      await Promise.all([senderOf(store, scene).send(), senderOf(other, scene).send()]);
      expect(notified(scene.web)).toEqual(['raised failed:publish']);
    });
  });

  describe('a failing webhook', () => {
    it('is recorded, called again after growing delays, and gets all that it missed', async () => {
      const { store, at, log, web, sender } = await setUp(open);
      web.answer = 500;
      await raiseAlert(store.db, disk, at.now);
      const attempts: number[] = [];
      for (; at.now < noon + 5 * MINUTE; at.now += 15 * SECOND) {
        const before = web.requests.length;
        await sender.send();
        if (web.requests.length > before) attempts.push((at.now - noon) / SECOND);
      }
      expect(attempts).toEqual([0, 30, 90, 210]);
      expect(await openAlerts(store.db)).toMatchObject([
        { ...disk, notifiedAt: null },
        { key: 'webhook', message: 'The alert webhook failed: it answered 500.', count: 4 },
      ]);
      web.answer = 204;
      at.now += HOUR;
      web.requests.length = 0;
      await sender.send();
      await sender.send();
      expect(notified(web)).toEqual(['raised failed:publish']);
      expect((await openAlerts(store.db)).map((alert) => alert.key)).toEqual(['failed:publish']);
      expect(log.lines.length).toBeGreaterThan(0);
    });

    it('does not follow a redirect, and its URL is neither logged nor stored', async () => {
      const { store, log, web, sender } = await setUp(open);
      web.answer = 302;
      await raiseAlert(store.db, disk, noon);
      await sender.send();
      expect(web.requests).toHaveLength(1);
      const written = JSON.stringify([log.lines, await openAlerts(store.db)]);
      expect(written).toContain('it answered 302');
      expect(written).not.toMatch(/s3cret|127\.0\.0\.1/);
    });

    it('is reported by the code of a connection error alone', async () => {
      const { store, at, log } = await setUp(open);
      await raiseAlert(store.db, disk, noon);
      const webhook = 'http://127.0.0.1:9/s3cret';
      await openAlertSender(store, { webhook, publication: 'W', clock: at.clock, log }).send();
      const written = JSON.stringify([log.lines, await openAlerts(store.db)]);
      expect(written).toMatch(/no connection/);
      expect(written).not.toMatch(/s3cret|127\.0\.0\.1/);
    });

    it('is given up after ten seconds without a response', async () => {
      const { store, web, sender } = await setUp(open);
      web.answer = 'hang';
      const limits: number[] = [];
      vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
        limits.push(ms);
        return AbortSignal.abort(new DOMException('too long', 'TimeoutError'));
      });
      await raiseAlert(store.db, disk, noon);
      await sender.send();
      expect(limits).toEqual([10 * SECOND]);
      expect((await openAlerts(store.db)).map((alert) => alert.message)).toContain(
        'The alert webhook failed: no answer within 10 s.',
      );
    });

    it('does not throw when the database fails, too', async () => {
      const { log, web, at } = await setUp(open);
      const store = await open();
      const sender = senderOf(store, { at, log, web });
      vi.spyOn(store.db, 'selectFrom').mockImplementation(() => {
        throw new Error('connection lost');
      });
      await sender.send();
      expect(log.lines.join()).toContain('connection lost');
    });
  });

  describe('the heartbeat', () => {
    it('is called with GET, and its failure raises an alert that its next success resolves', async () => {
      const { store, at, log, web } = await setUp(open);
      const beat = () => callHeartbeat(store, { url: web.url, clock: at.clock, log });
      await beat();
      expect(web.requests).toMatchObject([{ method: 'GET', path: '/hook?key=s3cret', body: '' }]);
      expect(await openAlerts(store.db)).toEqual([]);
      web.answer = 503;
      await beat();
      expect(await openAlerts(store.db)).toMatchObject([
        { key: 'heartbeat', message: 'The heartbeat after an edition failed: it answered 503.' },
      ]);
      web.answer = 200;
      await beat();
      expect(await openAlerts(store.db)).toEqual([]);
    });
  });
});
