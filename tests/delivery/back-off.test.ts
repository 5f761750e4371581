/** The back-off of delivery runs, by a clock that the tests set: nothing here waits. */
import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, type Script, startScripted } from '../../scripts/smtp-servers.ts';
import { NOW, queueEdition } from '../../scripts/test-edition.ts';
import { listOpenAlerts } from '../../src/core/alerts/alerts.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { OnTrouble } from '../../src/delivery/control/back-off.ts';
import { deliverDue } from '../../src/delivery/deliver-due.ts';
import type { DeliveryRunResult } from '../../src/delivery/run.ts';
import { openSmtpTransport } from '../../src/delivery/transport/smtp-transport.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openTestApp } from '../support/test-app.ts';
import { deliveriesOf, queueConfirmation, serviceMessagesOf } from './fixture.ts';
import { addresses, deliverOver, type RunOptions } from './runs.ts';

afterEach(closeServers);

/** One run, `after` milliseconds from the first. */
function runAt(store: Store, url: string, after: number, options: RunOptions = {}): Promise<DeliveryRunResult> {
  return deliverOver(store, url, { now: NOW + after, ...options });
}

async function attemptsOf(store: Store): Promise<Record<string, number>> {
  const rows = await deliveriesOf(store);
  return Object.fromEntries(
    [...Map.groupBy(rows, ({ state, attempts }) => `${state} ${attempts}`)].map(([key, group]) => [key, group.length]),
  );
}

/** The first two on both databases. */
const FAILURES: [string, Script][] = [
  ['answers 421 to MAIL', (command) => (command.startsWith('MAIL') ? '421 4.7.0 try again' : undefined)],
  ['greets with 421', (command) => (command === 'CONNECT' ? '421 4.7.0 try again' : undefined)],
  ['answers 452 to MAIL', (command) => (command.startsWith('MAIL') ? '452 4.3.1 try again' : undefined)],
];

describe('a server that accepts nothing for some minutes', () => {
  forEachDatabase((open, dialect) => {
    it.each(dialect === 'sqlite' ? FAILURES : FAILURES.slice(0, 2))(
      'is probed with one message at a time, and gets everything when it recovers: %s',
      async (_name, fails) => {
        const store = await open();
        await queueEdition(store, addresses(24, 4));
        let isDown = true;
        const server = await startScripted((...args) => (isDown ? fails(...args) : undefined));
        const attempts = async (after: number): Promise<number> => {
          const before = server.commands.filter((command) => command === 'CONNECT').length;
          expect(await runAt(store, server.url, after)).toMatchObject({
            ...{ submitted: 0, deferred: 0, failed: 0, paused: [] },
            stopped: expect.stringContaining('try again'),
          });
          return server.commands.filter((command) => command === 'CONNECT').length - before;
        };
        expect(await attempts(0)).toBeGreaterThan(0);
        expect(await attemptsOf(store)).toEqual({ 'pending 0': 24 });
        for (const minutes of [0.5, 1.5, 3.5]) {
          expect(await attempts(minutes * MINUTE - 1)).toBe(0);
          expect(await attempts(minutes * MINUTE)).toBe(1);
        }
        expect(await attemptsOf(store)).toEqual({ 'pending 0': 24 });
        isDown = false;
        expect(await runAt(store, server.url, 8.5 * MINUTE)).toMatchObject({ submitted: 24, stopped: null });
        expect(await attemptsOf(store)).toEqual({ 'submitted 1': 24 });
        expect(await store.db.selectFrom('back_off').selectAll().execute()).toEqual([]);
      },
    );

    it('is found out, with an alert, if it breaks or never answers one attempt after another', async () => {
      const app = openTestApp(await open());
      await queueEdition(app.store, addresses(60, 2));
      let isDown = true;
      const server = await startScripted((command, socket) => {
        if (!isDown || !command.startsWith('RCPT')) return undefined;
        socket.destroy();
        return '';
      });
      const tried = () => server.commands.filter((command) => command.startsWith('RCPT')).length;
      const deliverAfter = (minutes: number) => {
        app.now += minutes * MINUTE;
        return deliverDue(app, { transport: openSmtpTransport(server.url, 2) });
      };
      expect(await deliverAfter(0)).toMatchObject({ submitted: 0, stopped: expect.any(String) });
      for (const minutes of [1, 2, 3, 6, 11]) await deliverAfter(minutes);
      expect(tried()).toBeLessThan(12);
      expect(await listOpenAlerts(app.store.db)).toMatchObject([{ kind: 'delivery' }]);
      isDown = false;
      await deliverAfter(11);
      await deliverAfter(60);
      expect(await attemptsOf(app.store)).toMatchObject({ 'submitted 1': expect.any(Number) });
      expect((await deliveriesOf(app.store)).every(({ state }) => state === 'submitted')).toBe(true);
      expect(await listOpenAlerts(app.store.db)).toEqual([]);
    });

    it('is probed at once on request', async () => {
      const store = await open();
      await queueEdition(store, addresses(6, 4));
      let isDown = true;
      const server = await startScripted((command) => (isDown && command === 'CONNECT' ? '421 no' : undefined));
      expect(await runAt(store, server.url, 0)).toMatchObject({ retryAt: NOW + 30 * SECOND });
      const connections = () => server.commands.filter((command) => command === 'CONNECT').length;
      const before = connections();
      for (const after of [1, 2]) {
        const report = await runAt(store, server.url, after, { probeNow: true });
        expect(report).toMatchObject({ stopped: expect.any(String), retryAt: NOW + 30 * SECOND });
      }
      expect(connections() - before).toBe(2);
      // Nor does such a probe delay the next one.
      await runAt(store, server.url, 30 * SECOND);
      expect(connections() - before).toBe(3);
      isDown = false;
      expect(await runAt(store, server.url, 2 * MINUTE)).toMatchObject({ submitted: 6 });
    });

    it('that answers a probe with the refusal of one recipient gets the next one as well', async () => {
      const store = await open();
      await queueEdition(store, ['gone@example.com', ...addresses(3, 4)]);
      let isDown = true;
      const server = await startScripted((command) => {
        if (isDown && command === 'CONNECT') return '421 no';
        return command.startsWith('RCPT TO:<gone') ? '550 5.1.1 no such user' : undefined;
      });
      await runAt(store, server.url, 0);
      isDown = false;
      expect(await runAt(store, server.url, MINUTE)).toMatchObject({ submitted: 3, failed: 1, stopped: null });
    });

    it('recovers by itself from a refused login, with one login for each probe, and an alert at once', async () => {
      const store = await open();
      await queueEdition(store, addresses(6, 4));
      let isWrong = true;
      const server = await startScripted((command) =>
        isWrong && command.startsWith('AUTH') ? '535 5.7.8 wrong password' : undefined,
      );
      const url = server.url.replace('//', '//ada:secret@');
      const alerts: string[] = [];
      const onTrouble: OnTrouble = async (_tx, { reason }) => void alerts.push(reason);
      for (const seconds of [0, 1, 30, 31]) await runAt(store, url, seconds * SECOND, { onTrouble });
      expect(server.commands.filter((command) => command.startsWith('AUTH'))).toHaveLength(2);
      expect(alerts).toEqual([expect.stringContaining('refuses the login')]);
      isWrong = false;
      expect(await runAt(store, url, 90 * SECOND)).toMatchObject({ submitted: 6, stopped: null });
    });
  });
});

describe('service messages that are refused to everyone', () => {
  forEachDatabase((open) => {
    it('are tried for two hours, with an alert, and do not stop editions', async () => {
      const app = openTestApp(await open());
      const { store } = app;
      for (const email of addresses(6, 4)) await queueConfirmation(store, email);
      let isBroken = true;
      const server = await startScripted((command) =>
        isBroken && /^RCPT TO:<subscriber/.test(command) ? '550 relay not permitted' : undefined,
      );
      await queueEdition(store, ['ada@example.com']);
      const runThere = () => deliverDue(app, { transport: openSmtpTransport(server.url, 1) });
      expect(await runThere()).toMatchObject({ submitted: 1, stopped: null, service: { failed: 0, deferred: 6 } });
      const refused = await serviceMessagesOf(store);
      expect(refused).toMatchObject(Array(6).fill({ state: 'pending', attempts: 1, due_at: expect.any(Number) }));
      expect(await listOpenAlerts(store.db)).toMatchObject([{ kind: 'service-messages', subject: {} }]);
      isBroken = false;
      app.now += 6 * MINUTE;
      expect(await runThere()).toMatchObject({ service: { submitted: 6 } });
      expect(await listOpenAlerts(store.db)).toEqual([]);
    });

    it('raise the alert when they are given up after two copies that may have arrived', async () => {
      const app = openTestApp(await open());
      await queueConfirmation(app.store, 'ada@example.com');
      let isBroken = true;
      const server = await startScripted((command, socket) => {
        if (isBroken && command === 'DATA-END') socket.destroy();
        return undefined;
      });
      const runThere = () => deliverDue(app, { transport: openSmtpTransport(server.url, 1) });
      await runThere();
      expect(await listOpenAlerts(app.store.db)).toEqual([]);
      app.now += HOUR;
      await runThere();
      expect(await serviceMessagesOf(app.store)).toMatchObject([{ state: 'failed', attempts: 2 }]);
      expect(await listOpenAlerts(app.store.db)).toMatchObject([
        { kind: 'service-messages', subject: {}, message: expect.stringContaining('it may have arrived') },
      ]);
      isBroken = false;
      await queueConfirmation(app.store, 'bo@example.com');
      app.now += HOUR;
      expect(await runThere()).toMatchObject({ service: { submitted: 1 } });
      expect(await listOpenAlerts(app.store.db)).toEqual([]);
    });

    it('fail after six refusals', async () => {
      const store = await open();
      await queueConfirmation(store, 'nobody@example.com');
      const server = await startScripted((command) => (command.startsWith('RCPT') ? '550 no such user' : undefined));
      for (let hours = 0; hours < 8; hours++) await runAt(store, server.url, hours * HOUR);
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: 'failed', attempts: 6, reply: '550 no such user' },
      ]);
    });
  });
});
