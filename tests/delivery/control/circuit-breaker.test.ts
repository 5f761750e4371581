import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, startReplying } from '../../../scripts/smtp-servers.ts';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { exportSubscriberData } from '../../../src/audience/export-data.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { RefusalKind } from '../../../src/core/store/tables.ts';
import { isEveryoneRefused, judgeRefusal } from '../../../src/delivery/control/circuit-breaker.ts';
import { resumeEdition } from '../../../src/delivery/control/edition-control.ts';
import { reopenDeliveries } from '../../../src/delivery/control/reopen.ts';
import { deliver } from '../../../src/delivery/deliver.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { GroupCommit } from '../../../src/delivery/queue/group-commit.ts';
import type { DeliveryRunResult } from '../../../src/delivery/run.ts';
import { type Connection, TransportError } from '../../../src/delivery/transport/connection.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { forBothDatabases, forEachDatabase, openMigrated } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, setDeliveries, testConfig } from '../fixture.ts';
import { addresses, deliverOver, fakeTransport, optionsAt, type RunOptions } from '../runs.ts';

afterEach(closeServers);

function run(store: Store, url: string, options: RunOptions = {}): Promise<DeliveryRunResult> {
  return deliverOver(store, url, { delivery: { connections: 1 }, ...options });
}

async function stateOfEdition({ db }: Store): Promise<string> {
  return (await db.selectFrom('editions').select('delivery_state').executeTakeFirstOrThrow()).delivery_state;
}

async function reasonOfEdition({ db }: Store): Promise<string | null> {
  return (await db.selectFrom('editions').select('delivery_reason').executeTakeFirstOrThrow()).delivery_reason;
}

describe('a refusal of every recipient', () => {
  forEachDatabase((open) => {
    it('pauses the edition, and shows no address to other subscribers or after its erasure', async () => {
      const store = await open();
      const emails = ['bo@example.com', 'cy@example.org', 'ada@example.com'];
      const { subscriberIds } = await queueEdition(store, emails);
      const server = await startReplying((to) => `554 5.7.1 <${to}>: Relay access denied`);
      const report = await run(store, server.url);
      const reason = expect.stringMatching(
        /^the server refuses every recipient: .* 554 5\.7\.1 <address>: Relay access denied$/,
      );
      expect(report).toMatchObject({ paused: [{ reason }], stopped: null });
      expect(await reasonOfEdition(store)).toEqual(reason);
      // The reply that quotes an address is stored with that subscriber's delivery only.
      expect(await deliveriesOf(store)).toMatchObject(
        emails.map((email) => ({ reason, reply: `554 5.7.1 <${email}>: Relay access denied` })),
      );
      const [bo = 0, , ada = 0] = subscriberIds;
      expect(JSON.stringify(await exportSubscriberData(store.db, bo))).not.toContain('ada@');
      await eraseSubscriber(store.db, SECRETS, ada, NOW);
      const kept = [await deliveriesOf(store), await store.db.selectFrom('editions').selectAll().execute()];
      expect(JSON.stringify(kept)).not.toContain('ada@');
    });

    it('is found out by two processes together', async () => {
      const store = await open();
      await queueEdition(store, addresses(40, 10));
      const server = await startReplying(() => '550 relay not permitted');
      const reports = await Promise.all([run(store, server.url), run(store, server.url)]);
      expect(reports.flatMap(({ paused }) => paused)).toHaveLength(1);
      const rows = await deliveriesOf(store);
      expect(rows.filter(({ state, attempts }) => state === 'pending' && attempts === 0)).toHaveLength(40);
      expect(rows.filter(({ reply }) => reply !== null).length).toBeLessThanOrEqual(22);
    });
  });
});

// The same statements decide in these: one database proves as much as two.
describe('a refusal of every recipient, on SQLite', () => {
  const stores: Store[] = [];
  const open = async (): Promise<Store> => {
    const store = await openMigrated();
    stores.push(store);
    return store;
  };
  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));

  it('ends the run without the address in a file name when the disk is full', async () => {
    const store = await open();
    await queueEdition(store, ['ada@example.com']);
    const submit: Connection['submit'] = async ({ to }) => {
      const message = `/var/mail/${to}.eml cannot be written (ENOSPC)`;
      throw new TransportError({ code: 'ENOSPC', replyCode: null, command: null, reply: null, message });
    };
    const report = await deliver(store, testConfig(), fakeTransport(submit, 1), optionsAt(NOW));
    expect(report.stopped).toBe('/var/mail/<address> cannot be written (ENOSPC)');
  });

  it.each([
    ['550 relay not permitted', '550 relay not permitted'],
    ['550 5.1.1 <address>: no such user', '550 5.1.1 <%>: no such user'],
    ['553 sorry, that domain is not allowed (#5.7.1)', '553 sorry, that domain is not allowed (#5.7.1)'],
  ])('whatever the status, fails nobody: %s', async (words, reply) => {
    const store = await open();
    const { editionId } = await queueEdition(store, addresses(30, 6));
    const server = await startReplying((to) => reply.replace('%', to));
    const report = await run(store, server.url, { delivery: { connections: 3 } });
    expect(report).toMatchObject({ submitted: 0, failed: 0, deferred: 0 });
    const reason = `the server refuses every recipient: 127.0.0.1:${server.port} answered: ${words}`;
    expect(report.stopped).toBeNull();
    expect(report.paused).toEqual([{ editionId, reason }]);
    const rows = await deliveriesOf(store);
    expect(rows.filter(({ state, attempts }) => state === 'pending' && attempts === 0)).toHaveLength(30);
    // Each of the three connections may have had one more under way.
    const refused = rows.filter((row) => row.reply !== null).length;
    expect(refused).toBeGreaterThanOrEqual(20);
    expect(refused).toBeLessThanOrEqual(23);
    expect(await store.db.selectFrom('edition_refusals').selectAll().execute()).toEqual([]);
  });

  it('is believed when all recipients of a small edition are refused again after a resume', async () => {
    const store = await open();
    const { editionId } = await queueEdition(store, ['dead@example.com', 'gone@example.org']);
    const server = await startReplying(() => '550 5.1.1 no such user');
    expect(await run(store, server.url)).toMatchObject({ failed: 0, paused: [{ editionId }] });
    await resumeEdition(store.db, editionId);
    expect(await run(store, server.url, { now: NOW + 1 })).toMatchObject({ failed: 2, paused: [] });
    expect(await stateOfEdition(store)).toBe('done');
  });

  it('is not assumed from dead addresses among others, nor from fifty neighbours at one company', async () => {
    const store = await open();
    const scattered = addresses(60, 10).map((email, n) => (n % 4 === 3 ? `dead-${email}` : email));
    const neighbours = Array.from({ length: 60 }, (_, n) => `dead-${n}@company.example`);
    await queueEdition(store, [
      ...neighbours,
      ...scattered,
      ...neighbours.map((email) => `dead-${email}`),
      'z@z.example',
    ]);
    const server = await startReplying((to) => (to.startsWith('dead') ? '550 5.1.1 no such user' : undefined));
    const report = await run(store, server.url, { delivery: { connections: 2 } });
    expect(report).toMatchObject({ submitted: 46, failed: 135, stopped: null, paused: [] });
    expect(await stateOfEdition(store)).toBe('done');
  });

  it('pauses an edition with a single domain', async () => {
    const store = await open();
    const { editionId } = await queueEdition(store, addresses(60, 1));
    const server = await startReplying(() => '550 relay not permitted');
    expect(await run(store, server.url)).toMatchObject({ failed: 0, paused: [{ editionId }] });
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toHaveLength(20);
  });

  it('takes back a refusal whose submission had begun before another process paused the edition', async () => {
    const store = await open();
    const { editionId } = await queueEdition(store, addresses(30, 5));
    const paused = { delivery_state: 'paused' as const, delivery_reason: 'all refused' };
    const server = await startReplying(() => {
      void store.db.updateTable('editions').set(paused).where('id', '=', editionId).execute();
      return '550 no such user';
    });
    const report = await run(store, server.url);
    expect(report).toMatchObject({ failed: 0, paused: [] });
    expect((await deliveriesOf(store)).every(({ state, attempts }) => state === 'pending' && attempts === 0)).toBe(
      true,
    );
  });

  it('is not assumed when a retry reaches only recipients that failed before', async () => {
    const store = await open();
    const dead = addresses(54, 18).map((email) => `dead-${email}`);
    const { editionId } = await queueEdition(store, [
      ...['ok1@example.com', ...dead.slice(0, 18), 'ok2@example.com', ...dead.slice(18, 36)],
      ...['ok3@example.com', ...dead.slice(36)],
    ]);
    const server = await startReplying((to) => (to.startsWith('dead') ? '550 5.1.1 no such user' : undefined));
    expect(await run(store, server.url)).toMatchObject({ submitted: 3, failed: 54, paused: [] });
    const request = { kinds: ['failed'] as const, expiresAt: NOW + HOUR, isDryRun: false };
    expect(await reopenDeliveries(store, editionId, request, NOW)).toMatchObject({ reopened: 54 });
    expect(await run(store, server.url, { now: NOW + 1 })).toMatchObject({ failed: 54, paused: [] });
    expect(await stateOfEdition(store)).toBe('done');
  });
});

describe('the limits', () => {
  const NOBODY = { isAnyAccepted: false, recipients: 1_000 };
  const SOMEBODY = { isAnyAccepted: true, recipients: 1_000 };
  const refused = (count: number, domain = 'a.example', repeated = 0, kind: RefusalKind = 'permanent') => {
    return { kind, count, domain, repeated };
  };

  it('are 20 recipients of two domains before a success, and 50 after one', () => {
    const half = (count: number) => [refused(count), refused(count, 'b.example')];
    expect(isEveryoneRefused([refused(10), refused(9, 'b.example')], NOBODY)).toBe(false);
    expect(isEveryoneRefused(half(10), NOBODY)).toBe(true);
    expect(isEveryoneRefused(half(24), SOMEBODY)).toBe(false);
    expect(isEveryoneRefused(half(25), SOMEBODY)).toBe(true);
  });

  it('are not reached by one domain unless the edition has no other, nor by one beside a few', () => {
    expect(isEveryoneRefused([refused(19)], NOBODY)).toBe(false);
    expect(isEveryoneRefused([refused(500)], SOMEBODY)).toBe('if alone');
    expect(isEveryoneRefused([refused(500), refused(24, 'b.example')], SOMEBODY)).toBe(false);
  });

  it('are all recipients of a small edition, at least three if they are of one domain', () => {
    const both = [refused(1), refused(1, 'b.example')];
    expect(isEveryoneRefused(both, { isAnyAccepted: false, recipients: 3 })).toBe(false);
    expect(isEveryoneRefused(both, { isAnyAccepted: false, recipients: 2 })).toBe(true);
    expect(isEveryoneRefused([refused(2)], { isAnyAccepted: false, recipients: 2 })).toBe(false);
    expect(isEveryoneRefused([refused(3)], { isAnyAccepted: false, recipients: 3 })).toBe(true);
  });

  it('do not count recipients again that were refused before, once anyone has got the edition', () => {
    const again = [refused(500, 'a.example', 1), refused(49, 'b.example')];
    expect(isEveryoneRefused(again, SOMEBODY)).toBe(false);
    expect(isEveryoneRefused(again, NOBODY)).toBe(true);
  });

  it('are 20 connections that end before the reply to the message, of any domain', () => {
    expect(isEveryoneRefused([refused(19, 'a.example', 0, 'uncertain')], SOMEBODY)).toBe(false);
    expect(isEveryoneRefused([refused(20, 'a.example', 0, 'uncertain')], SOMEBODY)).toBe(true);
  });
});

/** The circuit breaker against a model, for any order of outcomes. */
describe('the circuit breaker', () => {
  const RECIPIENTS = 75;
  const FAILED = { kind: 'failed', reply: '550 no', reason: 'no' } as const;

  /** After how many outcomes the edition must pause; null if never. */
  function expectedPause(accepted: readonly number[]): number | null {
    let inARow = 0;
    for (let n = 0; n < RECIPIENTS; n++) {
      inARow = accepted.includes(n) ? 0 : inARow + 1;
      if (inARow === (accepted.some((one) => one < n) ? 50 : 20)) return n + 1;
    }
    return null;
  }

  forBothDatabases((open) => {
    it('pauses with the refusal that reaches a limit, neither earlier nor later, and fails none of them', async () => {
      const store = await open();
      await queueEdition(store, addresses(RECIPIENTS, 7));
      const seen = new Set<string>();
      const check = async (accepted: number[]): Promise<void> => {
        await store.db.deleteFrom('edition_refusals').execute();
        await store.db.updateTable('editions').set({ delivery_state: 'delivering' }).execute();
        const fresh = {
          state: 'pending',
          attempts: 0,
          due_at: NOW,
          lease_until: null,
          reply: null,
          reason: null,
        } as const;
        await setDeliveries(store, fresh);
        await store.db.deleteFrom('delivery_counts').where('state', '=', 'submitted').execute();
        const options = { now: NOW, limit: RECIPIENTS, leaseMs: HOUR, uncertain: 'retry' as const, dailyLimit: null };
        const { deliveries } = await claimDeliveries(store, options);
        const commit = new GroupCommit(store, () => NOW);
        await Promise.all(deliveries.map((delivery) => commit.mark(delivery)));
        let pausedAfter: number | null = null;
        for (const [n, delivery] of deliveries.entries()) {
          if (pausedAfter !== null) break;
          if (accepted.includes(n)) await commit.record(delivery, { kind: 'submitted', reply: '250 ok' });
          else {
            await commit.record(delivery, FAILED, 'permanent');
            const { paused } = await judgeRefusal(store, delivery.editionId, 'no', NOW, undefined);
            if (paused !== null) pausedAfter = n + 1;
          }
        }
        const expected = expectedPause(accepted);
        expect(pausedAfter).toBe(expected);
        seen.add(expected === null ? 'never' : expected === 20 ? 'first' : 'later');
        const end = expected ?? RECIPIENTS;
        const inTime = accepted.filter((n) => n < end);
        const afterLast = expected === null ? 0 : end - 1 - Math.max(-1, ...inTime);
        const failed = (await deliveriesOf(store)).filter(({ state }) => state === 'failed').length;
        expect(failed).toBe(end - inTime.length - afterLast);
      };
      const accepted = fc.uniqueArray(fc.nat(RECIPIENTS - 1), { maxLength: 3 });
      await fc.assert(fc.asyncProperty(accepted, check), { numRuns: 8, examples: [[[3, 30, 60]], [[3]], [[]]] });
      expect([...seen].sort()).toEqual(['first', 'later', 'never']);
    });
  });
});
