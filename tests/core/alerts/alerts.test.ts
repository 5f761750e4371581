import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AlertSender } from '../../../src/core/alerts/alert-sender.ts';
import { raiseAlert, resolveAlerts } from '../../../src/core/alerts/alerts.ts';
import { probeFolder } from '../../../src/core/alerts/storage-watch.ts';
import { isLedByOther, PROCESS_IDS, recordProcess, recordStop } from '../../../src/core/schedule/processes.ts';
import { noFaults } from '../../../src/core/store/sqlite-thread.ts';
import type { Db, Store } from '../../../src/core/store/store.ts';
import { callHeartbeat } from '../../../src/delivery/monitor/heartbeat.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { alertNamed, openAlerts } from '../../support/alerts.ts';
import { clockAt, type TestClock } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
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
  return new AlertSender(store, { webhook: web.url, publication: 'The Meridian Wire', clock: at.clock, log });
}

async function setUp(open: () => Promise<Store>): Promise<Scene> {
  const store = await open();
  const scene = { at: clockAt(noon), log: openTestLog(), web: await startWebServer() };
  return { ...scene, store, sender: senderOf(store, scene) };
}

/** Until not even a short alert finds room. */
async function fillPages(db: Db): Promise<void> {
  for (const length of [64_000, 1_000, 100, 1]) {
    for (let index = 0; ; index++) {
      const alert = { kind: 'webhook', subject: { of: `${length}-${index}` }, message: 'x'.repeat(length) };
      const isFull = await raiseAlert(db, alert, noon).then(
        () => false,
        () => true,
      );
      if (isFull) break;
    }
  }
}

const sqliteDisk = {
  async fill(db: Db): Promise<void> {
    await sql`pragma max_page_count = 1`.execute(db);
    await fillPages(db);
  },
  async free(db: Db): Promise<void> {
    await sql`pragma max_page_count = 1000000`.execute(db);
  },
};

/** A server that answers as one with a full disk. */
const postgresDisk = {
  async fill(db: Db): Promise<void> {
    await sql`create function fail() returns trigger language plpgsql as
      $$begin raise exception 'could not extend file' using errcode = '53100'; end$$`.execute(db);
    for (const table of ['alerts', 'meta']) {
      await sql`create trigger full_disk before insert or update on ${sql.table(table)}
        for each statement execute function fail()`.execute(db);
    }
    await raiseAlert(db, { ...disk }, noon).catch(() => {});
  },
  async free(db: Db): Promise<void> {
    await sql`drop function fail() cascade`.execute(db);
  },
};

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

    it('is not posted if it was resolved before the webhook was called', async () => {
      const { store, at, web, sender } = await setUp(open);
      web.answer = 500;
      await raiseAlert(store.db, disk, at.now);
      await sender.send();
      await resolveAlerts(store.db, [disk], at.now);
      web.requests.length = 0;
      web.answer = 200;
      at.now += HOUR;
      for (let sends = 0; sends < 2; sends++) await sender.send();
      expect(notified(web)).toEqual([]);
      await raiseAlert(store.db, disk, at.now);
      await sender.send();
      await resolveAlerts(store.db, [disk], at.now + 1);
      await sender.send();
      expect(notified(web)).toEqual(['raised failed:publish', 'resolved failed:publish']);
    });

    it('is kept where no webhook is configured', async () => {
      const { store, at, log } = await setUp(open);
      await raiseAlert(store.db, disk, noon);
      await new AlertSender(store, { webhook: undefined, publication: 'W', clock: at.clock, log }).send();
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

  describe('a store that is full', () => {
    const { fill, free } = dialect === 'sqlite' ? sqliteDisk : postgresDisk;
    const ofStorage = async (store: Store) => (await openAlerts(store.db)).filter(({ kind }) => kind === 'storage');

    it('is told from memory once, logged once a minute, and resolved when there is room again', async () => {
      const { store, at, log, web, sender } = await setUp(open);
      await fill(store.db);
      for (; at.now < noon + 3 * MINUTE; at.now += 5 * SECOND) await sender.send();
      expect(notified(web)).toEqual(['raised storage:store']);
      expect(log.lines.filter((line) => line.includes('The store cannot be written: '))).toHaveLength(3);
      expect(await ofStorage(store)).toEqual([]);
      await free(store.db);
      at.now += 15 * SECOND;
      // First it is stored.
      await sender.send();
      await sender.send();
      expect(notified(web)).toEqual(['raised storage:store', 'resolved storage:store']);
      expect([await ofStorage(store), sender.storage.failing()]).toEqual([[], []]);
    });

    it('does not hide that a folder cannot be written, and the webhook is called again if it failed', async () => {
      const { store, at, web, sender } = await setUp(open);
      web.answer = 500;
      await fill(store.db);
      sender.storage.set('feeds', 'No feeds.');
      await sender.send();
      web.requests.length = 0;
      web.answer = 200;
      at.now += MINUTE;
      await sender.send();
      expect(notified(web).sort()).toEqual(['raised storage:feeds', 'raised storage:store']);
      await free(store.db);
      at.now += MINUTE;
      await sender.send();
      await sender.send();
      expect(notified(web).slice(2)).toEqual(['resolved storage:store']);
      expect((await ofStorage(store)).map(({ key }) => key)).toEqual(['storage:feeds']);
    });

    it('is told as resolved once, although another process had met a later failure', async () => {
      const { store, at, log, web, sender } = await setUp(open);
      const reason = 'the database is away: connection refused';
      store.faults.last = reason;
      await sender.send();
      at.now += 10 * SECOND;
      const other = senderOf({ ...store, faults: { ...noFaults(), last: reason } }, { at, log, web });
      await other.send();
      at.now += 10 * SECOND;
      for (const one of [sender, other, sender]) await one.send();
      expect(notified(web)).toEqual(['raised storage:store', 'resolved storage:store']);
      expect(other.storage.failing()).toEqual([]);
    });

    it('is not told again by a process that reaches the store later than the one that resolved it', async () => {
      const { store, at, log, web, sender } = await setUp(open);
      let isAway = true;
      const db = store.db.withPlugin({
        transformQuery({ node }) {
          if (isAway) throw new Error('Connection terminated unexpectedly');
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const reason = 'the database is away: no answer';
      const late = senderOf({ ...store, db, faults: { ...noFaults(), last: reason } }, { at, log, web });
      await late.send();
      store.faults.last = reason;
      await sender.send();
      at.now += 20 * SECOND;
      await sender.send();
      await sender.send();
      isAway = false;
      for (const one of [late, sender, late]) {
        at.now += 5 * SECOND;
        await one.send();
      }
      expect(notified(web)).toEqual(['raised storage:store', 'raised storage:store', 'resolved storage:store']);
      expect([await ofStorage(store), late.storage.failing()]).toEqual([[], []]);
    });

    it('is told at the next attempt if it fails before the watch of the server has said why', async () => {
      const { store, at, log, web } = await setUp(open);
      const db = store.db.withPlugin({
        transformQuery() {
          throw new Error('Connection terminated unexpectedly');
        },
        transformResult: async ({ result }) => result,
      });
      const faults = noFaults();
      const sender = senderOf({ ...store, db, faults }, { at, log, web });
      await sender.send();
      expect(notified(web)).toEqual([]);
      faults.last = 'the database is away: connection refused';
      at.now += 5 * SECOND;
      await sender.send();
      expect(notified(web)).toEqual(['raised storage:store']);
    });

    it('is told after three failures that are neither of a disk nor of a connection, and then resolved', async () => {
      const { store, at, log, web } = await setUp(open);
      let isRefused = true;
      const db = store.db.withPlugin({
        transformQuery({ node }) {
          if (isRefused) throw new Error('password authentication failed');
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const sender = senderOf({ ...store, db, faults: noFaults() }, { at, log, web });
      for (const calls of [0, 0, 1, 1]) {
        await sender.send();
        expect(web.requests).toHaveLength(calls);
        at.now += 5 * SECOND;
      }
      expect(log.lines).toHaveLength(3);
      isRefused = false;
      for (let sends = 0; sends < 2; sends++) await sender.send();
      expect(notified(web)).toEqual(['raised storage:store', 'resolved storage:store']);
      expect(web.requests[0]?.body).toContain('The store cannot be written: password authentication failed.');
    });

    it('is told, and then resolved, although only the sender met the failure, and the store is back', async () => {
      const { store, at, web, sender } = await setUp(open);
      await raiseAlert(store.db, { kind: 'storage', subject: { place: 'store' }, message: 'Full.' }, noon - HOUR);
      await resolveAlerts(store.db, [{ kind: 'storage', subject: { place: 'store' } }], noon - MINUTE);
      await sender.send();
      web.requests.splice(0);
      sender.storage.noteFault(
        { ...store, faults: { ...noFaults(), last: 'the database is away: no answer' } },
        at.now,
      );
      await sender.send();
      expect(notified(web)).toEqual(['raised storage:store']);
      await sender.send();
      expect(notified(web)).toEqual(['raised storage:store', 'resolved storage:store']);
    });

    it('stays told until a process that starts has written to it', async () => {
      const { store, at, log, web } = await setUp(open);
      await raiseAlert(store.db, { kind: 'storage', subject: { place: 'store' }, message: 'Full.' }, noon - HOUR);
      await fill(store.db);
      store.faults.last = null;
      const sender = senderOf(store, { at, log, web });
      await sender.send();
      expect(await ofStorage(store)).toHaveLength(1);
      await free(store.db);
      at.now += MINUTE;
      await sender.send();
      expect(await ofStorage(store)).toEqual([]);
    });
  });

  describe('a store that another program locks', () => {
    /** Writes fail while it lasts; reads go on. */
    async function setUpLock() {
      const scene = await setUp(open);
      const lock = { isHeld: true };
      const db = scene.store.db.withPlugin({
        transformQuery({ node }) {
          if (lock.isHeld && node.kind !== 'SelectQueryNode') throw new Error('database is locked');
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const faults = { ...noFaults(), lockedSince: performance.now() - 20 * SECOND };
      return { ...scene, lock, faults, sender: senderOf({ ...scene.store, db, faults }, scene) };
    }
    const { scope } = PROCESS_IDS;
    const row = { host: 'news-1', version: '1.2.3', roles: ['web'], startedAt: noon - HOUR, scope };

    it('is told from memory after half a minute, with what to do, and resolved afterwards', async () => {
      const { at, web, lock, faults, sender } = await setUpLock();
      await sender.send();
      expect(notified(web)).toEqual([]);
      faults.lockedSince -= 10 * SECOND;
      for (let sends = 0; sends < 3; sends++, at.now += MINUTE) await sender.send();
      expect(notified(web)).toEqual(['raised storage:store']);
      expect(web.requests[0]?.body).toContain(
        'is locked by another program: nothing can be written. Wait for it, or end',
      );
      lock.isHeld = false;
      Object.assign(faults, { lockedSince: null });
      for (let sends = 0; sends < 3; sends++, at.now += MINUTE) await sender.send();
      expect(notified(web)).toEqual(['raised storage:store', 'resolved storage:store']);
    });

    it.runIf(scope !== null)('is told by the oldest process of the machine alone, if that still runs', async () => {
      const { store, web, faults, sender } = await setUpLock();
      faults.lockedSince -= HOUR;
      await recordProcess(store.db, { ...row, id: 'older', pid: process.ppid }, noon);
      await recordProcess(store.db, { ...row, id: 'own', pid: process.pid, startedAt: noon }, noon);
      await sender.send();
      expect(notified(web)).toEqual([]);
      await recordStop(store.db, 'older', noon);
      expect(await isLedByOther(store.db)).toBe(false);
      await recordProcess(store.db, { ...row, id: 'killed', pid: 2 ** 30 }, noon);
      expect(await isLedByOther(store.db)).toBe(false);
    });
  });

  describe('a folder that cannot be written', () => {
    const place = { kind: 'storage', subject: { place: 'feeds' } };

    it('raises an alert that the next success resolves, also of a process before this one', async () => {
      const { store, at, web, sender } = await setUp(open);
      const folder = join(temporaryFolder(), 'feeds');
      const attempt = () => sender.storage.attempt('feeds', `The folder ${folder}`, () => probeFolder(folder));
      expect(await attempt()).toBe(false);
      await sender.send();
      expect(await openAlerts(store.db)).toMatchObject([
        {
          key: 'storage:feeds',
          message: `The folder ${folder} cannot be written: no such file or directory (ENOENT).`,
        },
      ]);
      mkdirSync(folder);
      expect(await attempt()).toBe(true);
      at.now += MINUTE;
      await sender.send();
      expect(readdirSync(folder)).toEqual([]);
      expect(notified(web)).toEqual(['raised storage:feeds', 'resolved storage:feeds']);
      await raiseAlert(store.db, { ...place, message: 'Read-only.' }, at.now);
      const next = new AlertSender(store, {
        webhook: undefined,
        publication: 'W',
        clock: at.clock,
        log: openTestLog(),
      });
      next.storage.set('feeds', null);
      await next.send();
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it('stays told while another machine can write its own', async () => {
      const { store, at, log, web, sender } = await setUp(open);
      const other = senderOf(store, { at, log, web });
      other.storage.set('feeds', null);
      await other.send();
      sender.storage.set('feeds', 'Read-only.');
      for (const each of [sender, other, sender, other]) await each.send();
      expect(notified(web)).toEqual(['raised storage:feeds']);
    });

    it('throws an error that is not one of the disk', async () => {
      const { sender } = await setUp(open);
      const failing = sender.storage.attempt('feeds', 'It', () => Promise.reject(new Error('a mistake')));
      await expect(failing).rejects.toThrow('a mistake');
      expect(sender.storage.failing()).toEqual([]);
    });
  });

  describe('a failing webhook', () => {
    it('is not called by another process before its delay is over', async () => {
      const { store, at, log, web, sender } = await setUp(open);
      const other = senderOf(store, { at, log, web });
      web.answer = 500;
      await raiseAlert(store.db, disk, at.now);
      await sender.send();
      at.now += 29 * SECOND;
      await other.send();
      expect(web.requests).toHaveLength(1);
      at.now += SECOND;
      await other.send();
      expect(web.requests).toHaveLength(2);
    });

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
      await new AlertSender(store, { webhook, publication: 'W', clock: at.clock, log }).send();
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
      const beat = () => callHeartbeat(store, { url: web.url, until: 0, clock: at.clock, log });
      await beat();
      expect(web.requests).toMatchObject([{ method: 'GET', path: '/hook?key=s3cret', body: '' }]);
      expect(await openAlerts(store.db)).toEqual([]);
      web.answer = 503;
      await beat();
      expect(await openAlerts(store.db)).toMatchObject([
        {
          key: 'heartbeat',
          message: expect.stringMatching(/^The heartbeat after an edition failed: it answered 503\. It is called/),
        },
      ]);
      web.answer = 200;
      await beat();
      expect(await openAlerts(store.db)).toEqual([]);
    });
  });
});
