import { simpleParser } from 'mailparser';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config.ts';
import type { Connection, Transport } from '../../src/delivery/connection.ts';
import { type DeliverOptions, deliver } from '../../src/delivery/deliver.ts';
import { claimPendingDeliveries, markSubmitting } from '../../src/delivery/outbox.ts';
import { openTransport } from '../../src/delivery/transport.ts';
import type { Store } from '../../src/store/store.ts';
import { unsubscribe } from '../../src/subscribers/subscriptions.ts';
import { readUnsubscribeToken } from '../../src/subscribers/tokens.ts';
import { HOUR, MINUTE } from '../../src/time.ts';
import { forEachDatabase } from '../databases.ts';
import { deliveriesOf, NOW, queueEdition, SECRET, testConfig } from './fixture.ts';
import { closeServers, type Received, startScripted, startServer } from './servers.ts';

afterEach(closeServers);

const NOTHING = { submitted: 0, deferred: 0, failed: 0, suppressed: 0, stopped: null };

function smtpConfig(url: string, delivery: Partial<Config['delivery']> = {}): Config {
  const config = testConfig({ delivery: { transport: 'smtp', connections: 2, ...delivery } });
  return { ...config, secrets: { smtpUrl: url } };
}

function run(store: Store, config: Config, options: Partial<DeliverOptions> & { now?: number } = {}) {
  const { now = NOW, ...rest } = options;
  const settings = { clock: () => now, secret: SECRET, random: () => 0, ...rest };
  return deliver(store, config, openTransport(config), settings);
}

/** Refuses some recipients with a reply of the server. */
function refusing(reply: (address: string) => [code: number, words: string] | null): SMTPServerOptions {
  return {
    onRcptTo({ address }, _session, done) {
      const refusal = reply(address);
      done(refusal && Object.assign(new Error(refusal[1]), { responseCode: refusal[0] }));
    },
  };
}

function recipients(received: Received[]): string[] {
  return received.flatMap((message) => message.to).sort();
}

async function messageIds(received: Received[]): Promise<(string | undefined)[]> {
  return Promise.all(received.map(async ({ raw }) => (await simpleParser(raw)).messageId));
}

/** A transport without a wire. */
function fakeTransport(submit: Connection['submit'], connections = 2): Transport {
  return {
    connections,
    connect: async () => ({ usable: true, submit, close: () => {} }),
    verify: async () => {},
  };
}

describe('a delivery run', () => {
  forEachDatabase((open) => {
    it('submits each message to its recipient and records the server’s reply', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 3);
      const server = await startServer();
      const seen: number[] = [];
      const onProgress = (report: { submitted: number }) => seen.push(report.submitted);
      expect(await run(store, smtpConfig(server.url), { onProgress })).toEqual({ ...NOTHING, submitted: 3 });
      expect(seen).toEqual([1, 2, 3]);
      expect(recipients(server.received)).toEqual([1, 2, 3].map((n) => `reader${n}@example.com`));
      for (const row of await deliveriesOf(store)) {
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
        const reader = Number(/\d+/.exec(to[0] ?? '')?.[0]);
        expect(readUnsubscribeToken(SECRET, token)).toEqual({
          subscriberId: subscriberIds[reader - 1],
          newsletter: 'daily-roundup',
        });
      }
      expect(await run(store, smtpConfig(server.url))).toEqual(NOTHING);
      expect(server.received).toHaveLength(3);
    });

    it('defers what the server defers, and submits it when its time has come', async () => {
      const store = await open();
      await queueEdition(store, 2);
      let greylisting = true;
      const server = await startServer(
        refusing((to) => (greylisting && to.startsWith('reader1') ? [451, '4.7.1 come back later'] : null)),
      );
      const config = smtpConfig(server.url);
      expect(await run(store, config)).toEqual({ ...NOTHING, submitted: 1, deferred: 1 });
      expect(await deliveriesOf(store)).toMatchObject([
        {
          state: 'pending',
          attempts: 1,
          due_at: NOW + 5 * MINUTE,
          lease_until: null,
          reply: '451 4.7.1 come back later',
          reason: expect.stringMatching(/^127\.0\.0\.1:\d+ answered: 451 4\.7\.1 come back later$/),
        },
        { state: 'submitted' },
      ]);
      greylisting = false;
      expect(await run(store, config, { now: NOW + 5 * MINUTE - 1 })).toEqual(NOTHING);
      expect(await run(store, config, { now: NOW + 5 * MINUTE })).toEqual({ ...NOTHING, submitted: 1 });
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitted', attempts: 2, reason: null }, {}]);
      expect(recipients(server.received)).toEqual(['reader1@example.com', 'reader2@example.com']);
    });

    it('gives up after so many attempts, with the last reason', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const server = await startServer(refusing(() => [452, '4.2.2 mailbox full']));
      const config = smtpConfig(server.url, { attempts: 2 });
      expect(await run(store, config)).toMatchObject({ deferred: 1 });
      expect(await run(store, config, { now: NOW + HOUR })).toMatchObject({ failed: 1 });
      expect(await deliveriesOf(store)).toMatchObject([
        {
          state: 'failed',
          attempts: 2,
          reply: '452 4.2.2 mailbox full',
          reason: expect.stringMatching(/^given up after 2 attempts: .* 452 4\.2\.2 mailbox full$/),
        },
      ]);
    });

    it('fails what the server refuses for good, and goes on', async () => {
      const store = await open();
      await queueEdition(store, 3);
      const server = await startServer(
        refusing((to) => (to.startsWith('reader2') ? [550, '5.1.1 no such user'] : null)),
      );
      expect(await run(store, smtpConfig(server.url))).toEqual({ ...NOTHING, submitted: 2, failed: 1 });
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'submitted' },
        { state: 'failed', reply: '550 5.1.1 no such user', reason: expect.stringContaining('550 5.1.1') },
        { state: 'submitted' },
      ]);
    });

    it('defers a message whose connection dropped in the middle of it, and goes on over another', async () => {
      const store = await open();
      await queueEdition(store, 3);
      let dropped = 0;
      const server = await startScripted((command, socket) => {
        if (command === 'DATA-LINE' && dropped++ === 0) socket.destroy();
        return undefined;
      });
      const report = await run(store, smtpConfig(server.url, { connections: 1 }));
      expect(report).toEqual({ ...NOTHING, submitted: 2, deferred: 1 });
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'pending', attempts: 1, due_at: NOW + 5 * MINUTE, reason: expect.any(String) },
        { state: 'submitted' },
        { state: 'submitted' },
      ]);
    });

    it('stops where the server refuses the login, asks once, and burns nothing', async () => {
      const store = await open();
      await queueEdition(store, 8);
      let logins = 0;
      const server = await startServer({
        authOptional: false,
        allowInsecureAuth: true,
        onAuth(_auth, _session, done) {
          logins += 1;
          done(new Error('5.7.8 wrong'));
        },
      });
      const config = smtpConfig(server.url.replace('//', '//ada:wrong-password@'), { connections: 4 });
      const report = await run(store, config);
      expect(report).toEqual({ ...NOTHING, stopped: expect.stringMatching(/refuses the login: 535/) });
      expect(report.stopped).not.toContain('wrong-password');
      expect(logins).toBe(1);
      expect(await deliveriesOf(store)).toMatchObject(
        Array(8).fill({ state: 'pending', attempts: 0, due_at: NOW, lease_until: null }),
      );
    });

    it('stops where the server refuses our sender, and the attempt does not count', async () => {
      const store = await open();
      await queueEdition(store, 4);
      const server = await startServer({
        onMailFrom: (_from, _session, done) =>
          done(Object.assign(new Error('5.7.1 not your address'), { responseCode: 553 })),
      });
      const report = await run(store, smtpConfig(server.url, { connections: 1 }));
      expect(report).toEqual({ ...NOTHING, stopped: expect.stringContaining('553 5.7.1 not your address') });
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'pending', attempts: 0, due_at: NOW, lease_until: null, reason: report.stopped },
        ...Array(3).fill({ state: 'pending', attempts: 0, due_at: NOW, lease_until: null, reason: null }),
      ]);
    });

    it('stops where the server is down, and everything stays pending', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const server = await startScripted(() => undefined);
      await server.close();
      const report = await run(store, smtpConfig(server.url, { connections: 5 }));
      expect(report).toEqual({ ...NOTHING, stopped: `127.0.0.1:${server.port} takes no connections` });
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'pending', attempts: 0, lease_until: null }]);
    });

    it('goes on over fewer connections where the server grants no more', async () => {
      const store = await open();
      await queueEdition(store, 6);
      const server = await startScripted((command, _socket, count) =>
        command === 'CONNECT' && count > 1 ? '421 4.7.0 too many connections' : undefined,
      );
      expect(await run(store, smtpConfig(server.url, { connections: 3 }))).toEqual({ ...NOTHING, submitted: 6 });
    });

    it('suppresses who unsubscribed between the queueing and the submission', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 2);
      await unsubscribe(store.db, { subscriberId: subscriberIds[0]!, newsletter: 'daily-roundup' }, NOW);
      const server = await startServer();
      expect(await run(store, smtpConfig(server.url))).toEqual({ ...NOTHING, submitted: 1, suppressed: 1 });
      expect(recipients(server.received)).toEqual(['reader2@example.com']);
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'suppressed', attempts: 0, reason: 'the subscription is not confirmed any more' },
        { state: 'submitted' },
      ]);
    });

    it('suppresses whose row is gone', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 2);
      await store.db.deleteFrom('subscribers').where('id', '=', subscriberIds[0]!).execute();
      const server = await startServer();
      expect(await run(store, smtpConfig(server.url))).toEqual({ ...NOTHING, submitted: 1, suppressed: 1 });
    });

    it('mails nobody twice where two run at once', async () => {
      const store = await open();
      await queueEdition(store, 40);
      const server = await startServer();
      const config = smtpConfig(server.url);
      const reports = await Promise.all([run(store, config), run(store, config), run(store, config)]);
      expect(reports.reduce((sum, report) => sum + report.submitted, 0)).toBe(40);
      expect(new Set(recipients(server.received)).size).toBe(40);
      expect(server.received).toHaveLength(40);
    });

    it('tries again what a killed process left on the wire, with the same Message-ID', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const server = await startServer();
      const config = smtpConfig(server.url);
      await run(store, config);
      // The server has the message; the process died before it could record that.
      await store.db
        .updateTable('deliveries')
        .set({ state: 'submitting', reply: null, lease_until: NOW + 12 * MINUTE })
        .execute();
      expect(await run(store, config, { now: NOW + 12 * MINUTE - 1 })).toEqual(NOTHING);
      expect(await run(store, config, { now: NOW + 12 * MINUTE })).toEqual({ ...NOTHING, submitted: 1 });
      const [first, second] = await messageIds(server.received);
      expect(second).toBe(first);
      expect(server.received[1]!.raw).toEqual(server.received[0]!.raw);
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitted', attempts: 2 }]);
    });

    it('does not submit for ever what kills every process that submits it', async () => {
      const store = await open();
      await queueEdition(store, 1);
      for (let n = 0; n < 2; n++) {
        const now = NOW + n * HOUR;
        const [claim] = await claimPendingDeliveries(store, { now, limit: 1, leaseMs: MINUTE });
        await markSubmitting(store.db, claim!, now, MINUTE);
      }
      const server = await startServer();
      const config = smtpConfig(server.url, { attempts: 2 });
      expect(await run(store, config, { now: NOW + 3 * HOUR })).toEqual({ ...NOTHING, failed: 1 });
      expect(server.received).toEqual([]);
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'failed', reason: 'given up after 2 attempts, the last one interrupted' },
      ]);
    });

    it('records nothing over the result of another worker', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const transport = fakeTransport(async () => {
        // The lease lapses during the submission, and another worker brings it to an end.
        await store.db
          .updateTable('deliveries')
          .set((e) => ({ state: 'submitted', fence: e('fence', '+', 1), reply: 'the other’s' }))
          .execute();
        return 'ours';
      });
      const report = await deliver(store, testConfig(), transport, { clock: () => NOW, secret: SECRET });
      expect(report).toEqual(NOTHING);
      expect(await deliveriesOf(store)).toMatchObject([{ reply: 'the other’s' }]);
    });

    it('fails the messages that cannot be built, and goes on', async () => {
      const store = await open();
      await queueEdition(store, 2, { html: '<p>No way out</p>' });
      await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'next' });
      const server = await startServer();
      const report = await run(store, smtpConfig(server.url));
      expect(report).toEqual({ ...NOTHING, submitted: 1, failed: 2 });
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'failed', attempts: 0 },
        { state: 'failed', reason: expect.stringMatching(/^the message could not be built: .*unsubscribe/) },
        { state: 'submitted' },
      ]);
    });

    it('fails what belongs to a newsletter that is no longer configured', async () => {
      const store = await open();
      await queueEdition(store, 1, { newsletter: 'weekly' });
      const server = await startServer();
      expect(await run(store, smtpConfig(server.url))).toEqual({ ...NOTHING, failed: 1 });
      expect(await deliveriesOf(store)).toMatchObject([{ reason: 'the newsletter weekly is no longer configured' }]);
    });

    it('finishes what is on the wire when it is told to stop, and leaves the rest for the next run', async () => {
      const store = await open();
      await queueEdition(store, 10);
      const stop = new AbortController();
      const transport = fakeTransport(async () => {
        stop.abort();
        return '250 ok';
      });
      const report = await deliver(store, testConfig(), transport, {
        clock: () => NOW,
        secret: SECRET,
        signal: stop.signal,
      });
      expect(report.stopped).toBe('stopped on request');
      expect(report.submitted).toBeGreaterThanOrEqual(1);
      expect(report.submitted).toBeLessThanOrEqual(2);
      const rows = await deliveriesOf(store);
      expect(rows.filter((row) => row.state === 'submitted')).toHaveLength(report.submitted);
      expect(rows.filter((row) => row.state === 'pending' && row.lease_until === null)).toHaveLength(
        10 - report.submitted,
      );
    });

    it('does nothing where it was told to stop before', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const signal = AbortSignal.abort();
      const transport = fakeTransport(async () => '250 ok');
      const report = await deliver(store, testConfig(), transport, { clock: () => NOW, secret: SECRET, signal });
      expect(report).toEqual({ ...NOTHING, stopped: 'stopped on request' });
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'pending', fence: 0 }]);
    });

    it('passes on what is no failure of the transport, after the others have finished', async () => {
      const store = await open();
      await queueEdition(store, 4);
      let calls = 0;
      const transport = fakeTransport(async () => {
        calls += 1;
        if (calls === 1) throw new TypeError('a bug');
        return '250 ok';
      });
      const running = deliver(store, testConfig(), transport, { clock: () => NOW, secret: SECRET });
      await expect(running).rejects.toThrow('a bug');
      const states = (await deliveriesOf(store)).map((row) => row.state).sort();
      expect(states.filter((state) => state === 'submitting')).toHaveLength(1);
    });

    it('delivers one edition only where it is named', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const other = await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'next' });
      const server = await startServer();
      const report = await run(store, smtpConfig(server.url), { editionId: other.editionId });
      expect(report).toEqual({ ...NOTHING, submitted: 1 });
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'pending' }, { state: 'submitted' }]);
    });
  });
});
