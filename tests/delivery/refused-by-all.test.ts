/**
 * A server that treats all recipients alike for some time. However many they are and wherever, everyone has exactly one
 * copy in the end, or an operator is told the truth.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, startScripted } from '../../scripts/smtp-servers.ts';
import { queueEdition } from '../../scripts/test-edition.ts';
import { listOpenAlerts } from '../../src/core/alerts/alerts.ts';
import { resume, settle } from '../../src/delivery/control/operator-control.ts';
import { deliverDue } from '../../src/delivery/deliver-due.ts';
import { DeliveryMonitor } from '../../src/delivery/monitor/monitor.ts';
import { openSmtpTransport } from '../../src/delivery/transport/smtp-transport.ts';
import { findEditionById } from '../../src/editions/queries.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';
import { deliveriesOf } from './fixture.ts';
import { addresses } from './runs.ts';

afterEach(closeServers);

/** Delivers every few minutes, as a process does, until nothing is open or nothing happens before an operator acts. */
async function deliverUntilQuiet(app: TestApp, url: string, hours = 12): Promise<void> {
  const monitor = new DeliveryMonitor(app);
  for (const end = app.now + hours * HOUR; app.now < end; app.now += 5 * MINUTE) {
    await deliverDue(app, { monitor, transport: openSmtpTransport(url, 3) });
    const { delivery_state } = await app.store.db
      .selectFrom('editions')
      .select('delivery_state')
      .executeTakeFirstOrThrow();
    if (delivery_state !== 'delivering') return;
  }
}

/** How many copies each recipient has got. */
function countCopies(recipients: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(recipients, (to) => to)].map(([to, copies]) => [to, copies.length]));
}

forEachDatabase((open, dialect) => {
  describe('greylisting of every recipient', () => {
    it.each([
      [SECOND, 1],
      [SECOND, 10],
      [20 * MINUTE, 1],
      [20 * MINUTE, 10],
      [HOUR, 1],
      [HOUR, 10],
    ])('for %i ms ends with everyone having it once, without an operator; domains: %i', async (delay, domains) => {
      const app = openTestApp(await open());
      const everyone = addresses(60, domains);
      await queueEdition(app.store, everyone);
      const firstSeen = new Map<string, number>();
      const accepted: string[] = [];
      const server = await startScripted((command) => {
        const to = /^RCPT TO:<(.*)>/.exec(command)?.[1];
        if (to === undefined) return undefined;
        const since = firstSeen.get(to) ?? app.now;
        firstSeen.set(to, since);
        if (app.now - since < delay) return '450 4.7.1 greylisted, try again later';
        accepted.push(to);
        return undefined;
      });
      await deliverUntilQuiet(app, server.url);
      expect(countCopies(accepted)).toEqual(Object.fromEntries(everyone.map((to) => [to, 1])));
      expect((await deliveriesOf(app.store)).every(({ state }) => state === 'submitted')).toBe(true);
      expect(await listOpenAlerts(app.store.db)).toEqual([]);
    });
  });

  describe('a server that breaks every connection before its reply to the message', () => {
    it.each(dialect === 'sqlite' ? [4, 200] : [200])(
      'gets at most one copy for each of %i recipients before a true alert',
      async (count) => {
        const app = openTestApp(await open());
        const everyone = addresses(count, 7);
        const { editionId } = await queueEdition(app.store, everyone);
        let isBroken = true;
        const server = await startScripted((command, socket) => {
          if (isBroken && command === 'DATA-END') socket.destroy();
          return undefined;
        });
        await deliverUntilQuiet(app, server.url);
        const alerts = await listOpenAlerts(app.store.db);
        const messages = server.commands.filter((command) => command === 'DATA-END').length;
        const touched = Math.min(count, 22);
        expect(messages).toBeLessThanOrEqual(touched);
        expect(alerts.map(({ kind }) => kind).sort()).toEqual(['edition', 'uncertain']);
        expect(alerts.find(({ kind }) => kind === 'edition')?.message).toContain('may have arrived');
        const waiting = (await deliveriesOf(app.store)).filter(({ state }) => state === 'submitting');
        expect(waiting).toHaveLength(messages);
        isBroken = false;
        const edition = (await findEditionById(app.store.db, editionId))!;
        await settle(app, { editionId: edition.id }, 'submitted');
        await resume(app, edition);
        await deliverUntilQuiet(app, server.url);
        expect((await deliveriesOf(app.store)).every(({ state }) => state === 'submitted')).toBe(true);
        expect(server.commands.filter((command) => command === 'DATA-END')).toHaveLength(count);
        expect(await listOpenAlerts(app.store.db)).toEqual([]);
      },
    );
  });
});
