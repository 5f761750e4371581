import { simpleParser } from 'mailparser';
import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, type Received, startReplying, startScripted, startServer } from '../../scripts/smtp-servers.ts';
import { NOW, queueEdition } from '../../scripts/test-edition.ts';
import { readUnsubscribeToken } from '../../src/audience/tokens.ts';
import { correctFutureInstants } from '../../src/core/store/future-instants.ts';
import { DELIVERY_HELD, writeMeta } from '../../src/core/store/meta.ts';
import { settleDeliveries } from '../../src/delivery/control/edition-control.ts';
import { deliver } from '../../src/delivery/deliver.ts';
import { SUBMITTING_LEASE } from '../../src/delivery/queue/group-commit.ts';
import { listUncertain } from '../../src/delivery/queue/queries.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { unsubscribe } from '../audience/fixtures.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { deliveriesOf, queueConfirmation, serviceMessagesOf, setDeliveries, testConfig } from './fixture.ts';
import { deliverOver, fakeTransport, optionsAt } from './runs.ts';

afterEach(closeServers);

const NONE = { submitted: 0, deferred: 0, failed: 0, suppressed: 0 };
/** When the server is tried again after its first failure. */
const retryAt = NOW + 30 * SECOND;
const NOTHING = { ...NONE, service: NONE, paused: [], stopped: null };
function recipients(received: Received[]): string[] {
  return received.flatMap((message) => message.to).sort();
}

async function messageIds(received: Received[]): Promise<(string | undefined)[]> {
  return Promise.all(received.map(async ({ raw }) => (await simpleParser(raw)).messageId));
}

describe('deliver', () => {
  forEachDatabase((open) => {
    it('submits each message to its recipient and records the server’s reply', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 3);
      const server = await startServer();
      const seen: number[] = [];
      const onProgress = (report: { submitted: number }) => seen.push(report.submitted);
      expect(await deliverOver(store, server.url, { onProgress })).toEqual({ ...NOTHING, submitted: 3 });
      expect(seen).toEqual([1, 2, 3]);
      expect(recipients(server.received)).toEqual([1, 2, 3].map((n) => `subscriber${n}@example.com`));
      const rows = await deliveriesOf(store);
      expect(rows).toHaveLength(3);
      for (const row of rows) {
        expect(row).toMatchObject({
          state: 'submitted',
          attempts: 1,
          reason: null,
          lease_until: null,
          changed_at: NOW,
        });
        expect(row.reply).toMatch(/^250 2\.0\.0 kept as \d$/);
      }
      for (const { from, to, raw } of server.received) {
        const mail = await simpleParser(raw);
        expect(from).toBe('roundup@example.com');
        expect(mail.to).toMatchObject({ text: to[0] });
        const token = /unsubscribe\/(\S+)/.exec(mail.text ?? '')?.[1] ?? '';
        const number = Number(/\d+/.exec(to[0] ?? '')?.[0]);
        expect(readUnsubscribeToken(SECRETS, token)).toEqual({
          subscriberId: subscriberIds[number - 1],
          newsletter: 'daily-roundup',
        });
      }
      expect(await deliverOver(store, server.url)).toEqual(NOTHING);
      expect(server.received).toHaveLength(3);
    });

    it('suppresses a delivery if the subscriber has unsubscribed since it was queued', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 2);
      await unsubscribe(
        store.db,
        { subscriberId: subscriberIds[0]!, newsletter: 'daily-roundup' },
        { channel: 'one-click' },
        NOW,
      );
      const server = await startServer();
      expect(await deliverOver(store, server.url)).toEqual({ ...NOTHING, submitted: 1, suppressed: 1 });
      expect(recipients(server.received)).toEqual(['subscriber2@example.com']);
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'suppressed', attempts: 0, reason: 'the subscription is no longer confirmed' },
        { state: 'submitted' },
      ]);
    });

    it('submits each message once in three concurrent runs', async () => {
      const store = await open();
      await queueEdition(store, 40);
      const server = await startServer();
      const reports = await Promise.all([
        deliverOver(store, server.url),
        deliverOver(store, server.url),
        deliverOver(store, server.url),
      ]);
      expect(reports.reduce((sum, report) => sum + report.submitted, 0)).toBe(40);
      expect(new Set(recipients(server.received)).size).toBe(40);
      expect(server.received).toHaveLength(40);
    });

    it('retries the interrupted submission of a killed process with the same Message-ID', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const server = await startServer();
      await deliverOver(store, server.url);
      // The server has accepted the message, but the process was killed before it recorded that.
      await setDeliveries(store, { state: 'submitting', reply: null, lease_until: NOW + SUBMITTING_LEASE });
      await store.db.updateTable('editions').set({ delivery_state: 'delivering' }).execute();
      expect(await deliverOver(store, server.url, { now: NOW + SUBMITTING_LEASE - 1 })).toEqual(NOTHING);
      expect(await deliverOver(store, server.url, { now: NOW + SUBMITTING_LEASE })).toEqual({
        ...NOTHING,
        submitted: 1,
      });
      const [first, second] = await messageIds(server.received);
      expect(second).toBe(first);
      expect(server.received[1]!.raw).toEqual(server.received[0]!.raw);
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitted', attempts: 2 }]);
    });

    it('leaves a message to the operator after a second attempt without a reply, or interrupted', async () => {
      for (const second of ['close', 'kill'] as const) {
        const store = await open();
        const { editionId, subscriberIds } = await queueEdition(store, ['lost@example.com']);
        const server = await startScripted((command, socket) => {
          if (command === 'DATA-END' && server.messages.length <= 2) socket.destroy();
          return undefined;
        });
        expect(await deliverOver(store, server.url)).toMatchObject({ deferred: 1 });
        const after = { now: NOW + HOUR };
        if (second === 'close') expect(await deliverOver(store, server.url, after)).toEqual(NOTHING);
        else await setDeliveries(store, { state: 'submitting', lease_until: NOW });
        expect(await deliverOver(store, server.url, { now: NOW + 2 * HOUR })).toEqual(NOTHING);
        expect(await deliveriesOf(store)).toMatchObject([
          { state: 'submitting', reason: expect.stringContaining('it may have arrived') },
        ]);
        expect(server.messages).toHaveLength(second === 'close' ? 2 : 1);
        await settleDeliveries(
          store.db,
          { editionId, subscriberId: subscriberIds[0] as number },
          'submitted',
          NOW + 3 * HOUR,
        );
        expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitted' }]);
        await store.db.deleteFrom('deliveries').execute();
      }
    });

    it('opens a new connection after 421, over which a refused message is submitted at once', async () => {
      const store = await open();
      await queueEdition(store, 9);
      let messages = 0;
      const server = await startScripted((command) => {
        if (command === 'CONNECT') messages = 0;
        if (!command.startsWith('RCPT')) return undefined;
        messages += 1;
        return messages > 2 ? '421 4.7.0 too many messages on this connection' : undefined;
      });
      const delivery = { connections: 1 };
      expect(await deliverOver(store, server.url, { delivery })).toEqual({ ...NOTHING, submitted: 9 });
      expect((await deliveriesOf(store)).every(({ attempts }) => attempts === 1)).toBe(true);
    });

    it('pauses an edition whose messages cannot be built, with all attempts unspent, and continues', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 2, { html: '<p>No way out</p>' });
      await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'next' });
      const server = await startServer();
      const report = await deliverOver(store, server.url);
      const reason = expect.stringMatching(/^the message could not be built: .*unsubscribe/);
      expect(report).toEqual({ ...NOTHING, submitted: 1, paused: [{ editionId, reason }] });
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'pending', attempts: 0, lease_until: null, reason },
        { state: 'pending', attempts: 0, lease_until: null },
        { state: 'submitted' },
      ]);
    });

    it('fails the message of an address that cannot be mailed, and no other', async () => {
      const store = await open();
      await queueEdition(store, ['ada@example.com', 'no address', 'liu@example.com']);
      const server = await startServer();
      expect(await deliverOver(store, server.url)).toEqual({ ...NOTHING, submitted: 2, failed: 1 });
      expect((await deliveriesOf(store))[1]).toMatchObject({
        state: 'failed',
        reason: expect.stringMatching(/invalid/),
      });
    });

    it('finishes submissions in progress when it is stopped, and leaves the rest for the next run', async () => {
      const store = await open();
      await queueEdition(store, 10);
      const stop = new AbortController();
      const transport = fakeTransport(async () => {
        stop.abort();
        return '250 ok';
      });
      const report = await deliver(store, testConfig(), transport, optionsAt(NOW, { signal: stop.signal }));
      expect(report.stopped).toBe('stopped on request');
      expect(report.submitted).toBeGreaterThanOrEqual(1);
      expect(report.submitted).toBeLessThanOrEqual(2);
      const rows = await deliveriesOf(store);
      expect(rows.filter((row) => row.state === 'submitted')).toHaveLength(report.submitted);
      expect(rows.filter((row) => row.state === 'pending' && row.lease_until === null)).toHaveLength(
        10 - report.submitted,
      );
    });

    it('rejects with an error that is not a failure of the transport, after other workers have finished', async () => {
      const store = await open();
      await queueEdition(store, 4);
      let calls = 0;
      const transport = fakeTransport(async () => {
        calls += 1;
        if (calls === 1) throw new TypeError('a bug');
        return '250 ok';
      });
      const running = deliver(store, testConfig(), transport, optionsAt(NOW));
      await expect(running).rejects.toThrow('a bug');
      const states = (await deliveriesOf(store)).map((row) => row.state).sort();
      expect(states.filter((state) => state === 'submitting')).toHaveLength(1);
    });

    it('delivers a single edition if it is given', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const other = await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'next' });
      const server = await startServer();
      const report = await deliverOver(store, server.url, { editionId: other.editionId });
      expect(report).toEqual({ ...NOTHING, submitted: 1 });
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'pending' }, { state: 'submitted' }]);
    });

    it('has at most one submitting row per worker, and has recorded the one before it', async () => {
      const store = await open();
      await queueEdition(store, 30);
      const seen: { submitting: number; unrecorded: number }[] = [];
      let accepted = 0;
      const transport = fakeTransport(async () => {
        const before = accepted;
        const states = (await deliveriesOf(store)).map((row) => row.state);
        seen.push({
          submitting: states.filter((state) => state === 'submitting').length,
          unrecorded: before - states.filter((state) => state === 'submitted').length,
        });
        accepted += 1;
        return '250 ok';
      }, 3);
      expect(await deliver(store, testConfig(), transport, optionsAt(NOW))).toEqual({ ...NOTHING, submitted: 30 });
      expect(Math.max(...seen.map(({ submitting }) => submitting))).toBe(3);
      // At most one of each other worker, and never this worker's.
      expect(Math.max(...seen.map(({ unrecorded }) => unrecorded))).toBeLessThanOrEqual(2);
    });

    it('submits nothing while the queue is held, and reports the reason', async () => {
      const store = await open();
      await queueEdition(store, 1);
      await queueConfirmation(store, 'new@example.com');
      await writeMeta(store.db, DELIVERY_HELD, 'restored from a backup');
      const transport = fakeTransport(async () => '250 ok');
      const report = await deliver(store, testConfig(), transport, optionsAt(NOW));
      expect(report).toEqual({
        ...NOTHING,
        stopped: 'the queue is held, restored from a backup: to release it, use "daywire queue release"',
      });
      expect(await serviceMessagesOf(store)).toMatchObject([{ state: 'pending', fence: 0 }]);
    });

    it('retries a message without a reply, or leaves it to the operator with uncertain: hold', async () => {
      for (const uncertain of ['hold', 'retry'] as const) {
        const store = await open();
        const { editionId, subscriberIds } = await queueEdition(store, ['lost@example.com', 'other@example.com']);
        // Accepts the message, but closes the connection before it replies.
        const server = await startScripted((command, socket) => {
          if (command === 'DATA-END' && server.messages.length === 1) socket.destroy();
          return undefined;
        });
        const delivery = { uncertain, connections: 1 };
        const deferred = uncertain === 'retry' ? { deferred: 1 } : {};
        expect(await deliverOver(store, server.url, { delivery })).toEqual({ ...NOTHING, ...deferred, submitted: 1 });
        expect(await deliveriesOf(store)).toMatchObject([
          uncertain === 'hold'
            ? {
                state: 'submitting',
                lease_until: NOW,
                reason: expect.stringMatching(/ closed .*; it may have arrived$/),
              }
            : { state: 'pending', lease_until: null },
          { state: 'submitted' },
        ]);
        const listed = await listUncertain(store.db, { now: NOW, limit: 10 });
        expect(listed.map(({ email }) => email)).toEqual(uncertain === 'hold' ? ['lost@example.com'] : []);
        expect(await deliverOver(store, server.url, { delivery, now: NOW + HOUR })).toMatchObject({
          submitted: uncertain === 'hold' ? 0 : 1,
        });
        if (uncertain === 'retry') continue;
        await settleDeliveries(store.db, { editionId, subscriberId: subscriberIds[0] as number }, 'retry', NOW + HOUR);
        expect(await deliverOver(store, server.url, { delivery, now: NOW + HOUR })).toMatchObject({ submitted: 1 });
        const ids = server.messages.map((message) => /^Message-ID: .*$/m.exec(message)?.[0]);
        expect(ids).toHaveLength(3);
        expect(new Set(ids).size).toBe(2);
      }
    });

    it('fails a delivery as expired if its retry would be too late', async () => {
      const store = await open();
      await queueEdition(store, 2);
      await setDeliveries(store, { expires_at: NOW + 5 * MINUTE });
      const server = await startReplying(() => '451 4.7.1 come back later');
      expect(await deliverOver(store, server.url)).toEqual({ ...NOTHING, failed: 2 });
      expect(await deliveriesOf(store)).toMatchObject(
        Array(2).fill({
          state: 'failed',
          attempts: 1,
          reply: '451 4.7.1 come back later',
          reason: expect.stringMatching(/^expired: .*; the last attempt: .* 451 4\.7\.1/),
        }),
      );
    });

    it('respects the rate limit over several connections', async () => {
      const store = await open();
      await queueEdition(store, 8);
      const began = performance.now();
      const transport = fakeTransport(async () => '250 ok', 3);
      const config = testConfig({ delivery: { perSecond: 20 } });
      const report = await deliver(store, config, transport, { ...optionsAt(NOW), clock: Date.now });
      expect(report).toEqual({ ...NOTHING, submitted: 8 });
      expect(performance.now() - began).toBeGreaterThan(300);
    });

    it('submits the rest once, after the next start, when the clock is set back during a run', async () => {
      const store = await open();
      await queueEdition(store, 45);
      await queueConfirmation(store, 'ada@example.com');
      let setBack = 0;
      const began = performance.now();
      const clock = () => Math.round(NOW + performance.now() - began) - setBack;
      const server = await startServer({
        onMailFrom(_address, _session, done) {
          if (server.received.length >= 3) setBack = 10 * MINUTE;
          done();
        },
      });
      const deliverAgain = () => deliverOver(store, server.url, { delivery: { perSecond: 400 }, clock });
      const { submitted } = await deliverAgain();
      expect(clock()).toBeLessThan(NOW - 9 * MINUTE);
      await correctFutureInstants(store.db, clock());
      expect((await deliverAgain()).submitted).toBe(45 - submitted);
      expect(new Set(recipients(server.received)).size).toBe(46);
    });

    it('submits service messages before the edition', async () => {
      const store = await open();
      await queueEdition(store, 5);
      await queueConfirmation(store, 'new@example.com');
      await queueConfirmation(store, 'newer@example.com');
      const server = await startServer();
      const report = await deliverOver(store, server.url, { delivery: { connections: 1 } });
      expect(report).toEqual({ ...NOTHING, submitted: 5, service: { ...NONE, submitted: 2 } });
      expect(server.received.slice(0, 2).flatMap(({ to }) => to)).toEqual(['new@example.com', 'newer@example.com']);
      expect(await serviceMessagesOf(store)).toMatchObject(
        Array(2).fill({ state: 'submitted', attempts: 1, reason: null, lease_until: null }),
      );
      expect((await simpleParser(server.received[0]!.raw)).text).toContain('/confirm/');
    });

    it('defers and fails service messages by the same rules', async () => {
      const store = await open();
      await queueConfirmation(store, 'grey@example.com');
      await queueConfirmation(store, 'gone@example.com');
      await queueConfirmation(store, 'hurry@example.com', { expiresAt: NOW + MINUTE });
      await queueConfirmation(store, 'late@example.com', { expiresAt: NOW });
      const server = await startReplying((to) =>
        to.startsWith('gone') ? '550 5.1.1 no such user' : '451 4.7.1 later',
      );
      const report = await deliverOver(store, server.url, { delivery: { connections: 1 } });
      expect(report).toEqual({ ...NOTHING, service: { ...NONE, deferred: 2, failed: 2 } });
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: 'pending', attempts: 1, due_at: NOW + 5 * MINUTE, reply: '451 4.7.1 later' },
        { state: 'pending', attempts: 1, due_at: NOW + 5 * MINUTE, reply: '550 5.1.1 no such user' },
        { state: 'failed', reason: expect.stringMatching(/^expired: /) },
        { state: 'failed', attempts: 0, reason: 'expired: it could not be submitted before its link ended' },
      ]);
    });

    it('submits a service message without a reply once more, also with uncertain: hold', async () => {
      const store = await open();
      await queueConfirmation(store, 'lost@example.com');
      const server = await startScripted((command, socket) => {
        if (command === 'DATA-END') socket.destroy();
        return undefined;
      });
      const delivery = { uncertain: 'hold', connections: 1 } as const;
      const attempt = (now: number) => deliverOver(store, server.url, { delivery, now });
      expect(await attempt(NOW)).toMatchObject({ service: { ...NONE, deferred: 1 } });
      expect(await attempt(NOW + HOUR)).toMatchObject({ service: { ...NONE, failed: 1 } });
      expect(server.messages).toHaveLength(2);
    });

    it('stops if the server refuses the sender of a service message, without counting attempts', async () => {
      const store = await open();
      await queueConfirmation(store, 'new@example.com');
      await queueEdition(store, 3);
      const server = await startScripted((command) =>
        command.startsWith('MAIL') ? '553 5.7.1 not your address' : undefined,
      );
      const report = await deliverOver(store, server.url, { delivery: { connections: 1 } });
      expect(report).toEqual({ ...NOTHING, retryAt, stopped: expect.stringContaining('553 5.7.1 not your address') });
      expect(await serviceMessagesOf(store)).toMatchObject([{ state: 'pending', attempts: 0, lease_until: null }]);
      expect(await deliveriesOf(store)).toMatchObject(Array(3).fill({ state: 'pending', lease_until: null }));
    });
  });
});
