/** The back-off of delivery runs, by a clock that the tests set: nothing here waits. */
import { afterEach, describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../scripts/test-edition.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { OnTrouble } from '../../src/delivery/control/back-off-state.ts';
import { deliver } from '../../src/delivery/deliver.ts';
import type { DeliveryRunResult } from '../../src/delivery/run.ts';
import { openTransport } from '../../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { deliveriesOf, queueConfirmation, serviceMessagesOf, testConfig } from './fixture.ts';
import { closeServers, type Script, startScripted } from './servers.ts';

afterEach(closeServers);

const TEMPLATES = openTemplates('templates', 'UTC');
/** Parsing it takes longer than a run. */
const CONFIG = testConfig({ delivery: { transport: 'smtp' } });

interface RunOptions {
  connections?: number;
  probeNow?: boolean;
  onTrouble?: OnTrouble;
  random?: () => number;
}

/** One run, `after` milliseconds from the first. */
function runAt(store: Store, url: string, after: number, options: RunOptions = {}): Promise<DeliveryRunResult> {
  const { connections = 2, ...rest } = options;
  const config = { ...CONFIG, delivery: { ...CONFIG.delivery, connections } };
  return deliver(store, config, openTransport({ ...config, secrets: { smtpUrl: url } }), {
    clock: () => NOW + after,
    secrets: SECRETS,
    signers: [],
    templates: TEMPLATES,
    random: () => 0,
    ...rest,
  });
}

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `subscriber${n}@domain${n % 4}.example`);
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
  ['answers 451 to RCPT', (command) => (command.startsWith('RCPT') ? '451 4.3.0 try again' : undefined)],
  ['greets with 421', (command) => (command === 'CONNECT' ? '421 4.7.0 try again' : undefined)],
  ['answers 452 to MAIL', (command) => (command.startsWith('MAIL') ? '452 4.3.1 try again' : undefined)],
  ['answers 421 to RCPT', (command) => (command.startsWith('RCPT') ? '421 4.7.0 try again' : undefined)],
  ['answers 451 to the message', (command) => (command === 'DATA-END' ? '451 4.3.0 try again' : undefined)],
];

describe('a server that accepts nothing for some minutes', () => {
  forEachDatabase((open, dialect) => {
    it.each(dialect === 'sqlite' ? FAILURES : FAILURES.slice(0, 2))(
      'is probed with one message at a time, and gets everything when it recovers: %s',
      async (_name, fails) => {
        const store = await open();
        await queueEdition(store, addresses(24));
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
        expect(await store.db.selectFrom('back_offs').selectAll().execute()).toEqual([]);
      },
    );

    it('is probed by one of two processes, and delivered to by both when it recovers', async () => {
      const store = await open();
      await queueEdition(store, addresses(24));
      let isDown = true;
      const server = await startScripted((command) =>
        isDown && command.startsWith('MAIL') ? '421 4.7.0 try again' : undefined,
      );
      await runAt(store, server.url, 0);
      const before = server.commands.length;
      const reports = await Promise.all([0, 1].map(() => runAt(store, server.url, 30 * SECOND)));
      expect(server.commands.slice(before).filter((command) => command.startsWith('MAIL'))).toHaveLength(1);
      expect(reports.map(({ stopped }) => stopped)).not.toContain(null);
      isDown = false;
      const [one, other] = await Promise.all([0, 1].map(() => runAt(store, server.url, 90 * SECOND)));
      expect((one?.submitted ?? 0) + (other?.submitted ?? 0)).toBe(24);
      expect(await attemptsOf(store)).toEqual({ 'submitted 1': 24 });
    });

    it('is probed at once on request, and after a probe that a killed process had begun', async () => {
      const store = await open();
      await queueEdition(store, addresses(6));
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
      await store.db
        .updateTable('back_offs')
        .set({ lease_until: NOW + 2 * MINUTE })
        .execute();
      expect(await runAt(store, server.url, 2 * MINUTE - 1)).toMatchObject({ submitted: 0 });
      expect(await runAt(store, server.url, 2 * MINUTE)).toMatchObject({ submitted: 6 });
    });

    it('that answers a probe with the refusal of one recipient gets the next one as well', async () => {
      const store = await open();
      await queueEdition(store, ['gone@example.com', ...addresses(3)]);
      let isDown = true;
      const server = await startScripted((command) => {
        if (isDown && command === 'CONNECT') return '421 no';
        return command.startsWith('RCPT TO:<gone') ? '550 5.1.1 no such user' : undefined;
      });
      await runAt(store, server.url, 0);
      isDown = false;
      expect(await runAt(store, server.url, MINUTE)).toMatchObject({ submitted: 3, failed: 1, stopped: null });
    });

    it('that then refuses everyone permanently pauses the edition, and fails nobody', async () => {
      const store = await open();
      await queueEdition(store, addresses(24));
      let reply = '421 4.7.0 try again';
      const server = await startScripted((command) => (command.startsWith('RCPT') ? reply : undefined));
      expect(await runAt(store, server.url, 0)).toMatchObject({ stopped: expect.any(String) });
      reply = '550 relay not permitted';
      expect(await runAt(store, server.url, MINUTE)).toMatchObject({ failed: 0, paused: [{}] });
      expect(await attemptsOf(store)).toEqual({ 'pending 0': 24 });
    });

    it('does not expire an edition that expires later', async () => {
      const store = await open();
      await queueEdition(store, addresses(24));
      await store.db
        .updateTable('deliveries')
        .set({ expires_at: NOW + 4 * MINUTE })
        .execute();
      let isDown = true;
      const server = await startScripted((command) =>
        isDown && command.startsWith('RCPT') ? '451 4.3.0 try again' : undefined,
      );
      // Each would be retried after five minutes, when it has expired.
      for (const seconds of [0, 30, 90]) await runAt(store, server.url, seconds * SECOND);
      isDown = false;
      expect(await runAt(store, server.url, 3.5 * MINUTE)).toMatchObject({ submitted: 24, failed: 0 });
    });

    it('recovers by itself from a refused login, with one login for each probe, and an alert at once', async () => {
      const store = await open();
      await queueEdition(store, addresses(6));
      let isWrong = true;
      const server = await startScripted((command) =>
        isWrong && command.startsWith('AUTH') ? '535 5.7.8 wrong password' : undefined,
      );
      const url = server.url.replace('//', '//ada:secret@');
      const alerts: string[] = [];
      const onTrouble: OnTrouble = async (_tx, { backOff }) => void alerts.push(backOff.cause);
      for (const seconds of [0, 1, 30, 31]) await runAt(store, url, seconds * SECOND, { onTrouble });
      expect(server.commands.filter((command) => command.startsWith('AUTH'))).toHaveLength(2);
      expect(alerts).toEqual(['configuration']);
      isWrong = false;
      expect(await runAt(store, url, 90 * SECOND)).toMatchObject({ submitted: 6, stopped: null });
    });

    it('is probed with a delivery that was never tried, of any edition', async () => {
      const store = await open();
      const greylisted = Array.from({ length: 4 }, (_, n) => `grey${n}@grey.example`);
      await queueEdition(store, greylisted);
      const server = await startScripted((command) =>
        command.startsWith('RCPT TO:<grey') ? '451 4.7.1 greylisted' : undefined,
      );
      expect(await runAt(store, server.url, 0)).toMatchObject({ deferred: 4, stopped: null });
      const next = { slot: '2026-11-25', number: 2, articleId: 'next' };
      await queueEdition(store, ['ada@example.com', 'bo@example.org'], next);
      const down = await startScripted((command) => (command === 'CONNECT' ? '421 no' : undefined));
      expect(await runAt(store, down.url, 6 * MINUTE)).toMatchObject({ stopped: expect.any(String) });
      // The first edition's deliveries are due, too, and would fail each probe.
      expect(await runAt(store, server.url, 7 * MINUTE)).toMatchObject({ submitted: 2, deferred: 4, stopped: null });
    });

    it('is not probed with the head of the queue only, which may be for a domain that defers its mail', async () => {
      const store = await open();
      const deferred = Array.from({ length: 8 }, (_, n) => `grey${n}@grey.example`);
      await queueEdition(store, [...deferred, 'ada@example.com', 'bo@example.org']);
      let isDown = true;
      const server = await startScripted((command) => {
        if (isDown && command === 'CONNECT') return '421 no';
        return command.startsWith('RCPT TO:<grey') ? '421 4.7.0 too many for this domain' : undefined;
      });
      await runAt(store, server.url, 0);
      isDown = false;
      expect(await runAt(store, server.url, MINUTE)).toMatchObject({ submitted: 0, stopped: expect.any(String) });
      const report = await runAt(store, server.url, 3 * MINUTE, { random: () => 0.85 });
      expect(report).toMatchObject({ submitted: 2, deferred: 8, stopped: null });
    });

    it('is found out from a single delivery', async () => {
      const store = await open();
      await queueEdition(store, ['ada@example.com']);
      const server = await startScripted((command) => (command.startsWith('MAIL') ? '421 4.7.0 later' : undefined));
      expect(await runAt(store, server.url, 0)).toMatchObject({ retryAt: NOW + 30 * SECOND });
      expect(await attemptsOf(store)).toEqual({ 'pending 0': 1 });
    });

    it('is not assumed from one 421 to MAIL, which a new connection resolves, without an attempt', async () => {
      const store = await open();
      await queueEdition(store, addresses(6));
      const server = await startScripted((command, _socket, count) =>
        command.startsWith('MAIL') && count % 3 === 0 ? '421 4.7.0 too many messages' : undefined,
      );
      expect(await runAt(store, server.url, 0)).toMatchObject({ submitted: 6, deferred: 0, stopped: null });
      expect(await attemptsOf(store)).toEqual({ 'submitted 1': 6 });
    });
  });
});

describe('service messages that are refused to everyone', () => {
  forEachDatabase((open) => {
    it('wait, are probed with those that were never refused first, and are all submitted later', async () => {
      const store = await open();
      for (const email of addresses(12)) await queueConfirmation(store, email);
      let isBroken = true;
      const server = await startScripted((command) =>
        isBroken && command.startsWith('RCPT') ? '550 relay not permitted' : undefined,
      );
      const recipients = () => server.commands.flatMap((command) => /^RCPT TO:<(.*)>/.exec(command)?.[1] ?? []);
      const report = await runAt(store, server.url, 0, { connections: 1 });
      expect(report.service).toMatchObject({ submitted: 0, failed: 0, deferred: 0 });
      expect(recipients()).toHaveLength(5);
      await runAt(store, server.url, 29 * SECOND);
      expect(recipients()).toHaveLength(5);
      await runAt(store, server.url, 30 * SECOND);
      expect(recipients().slice(5)).toEqual(['subscriber5@domain1.example']);
      await runAt(store, server.url, 90 * SECOND);
      expect(recipients().slice(6)).toEqual(['subscriber6@domain2.example']);
      expect(await serviceMessagesOf(store)).toMatchObject(Array(12).fill({ state: 'pending', attempts: 0 }));
      isBroken = false;
      const later = await runAt(store, server.url, 210 * SECOND);
      expect(later.service).toMatchObject({ submitted: 12, failed: 0 });
      expect(await serviceMessagesOf(store)).toMatchObject(Array(12).fill({ state: 'submitted', attempts: 1 }));
      for (const table of ['back_offs', 'service_refusals'] as const) {
        expect(await store.db.selectFrom(table).selectAll().execute()).toEqual([]);
      }
    });

    it('are counted over runs, until one is accepted, and do not stop editions', async () => {
      const store = await open();
      const server = await startScripted((command) =>
        command.startsWith('RCPT TO:<bad') ? '550 5.1.1 no such user' : undefined,
      );
      for (const n of [1, 2, 3, 4]) {
        await queueConfirmation(store, `bad${n}@domain${n}.example`);
        expect((await runAt(store, server.url, n)).service).toMatchObject({ failed: 1 });
      }
      await queueConfirmation(store, 'good@example.com');
      expect((await runAt(store, server.url, 5)).service).toMatchObject({ submitted: 1 });
      for (const n of [5, 6, 7, 8]) {
        await queueConfirmation(store, `bad${n}@domain${n}.example`);
        expect((await runAt(store, server.url, n)).service).toMatchObject({ failed: 1 });
      }
      await queueConfirmation(store, 'bad9@domain9.example');
      await queueEdition(store, addresses(4));
      expect(await runAt(store, server.url, 9)).toMatchObject({ submitted: 4, stopped: null });
      const states = (await serviceMessagesOf(store)).map(({ state }) => state);
      expect(states).toEqual([...Array(4).fill('failed'), 'submitted', ...Array(5).fill('pending')]);
    });
  });
});
