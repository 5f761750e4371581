import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { exportSubscriberData } from '../../../src/audience/export-data.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { resumeDomains } from '../../../src/delivery/control/paused-domains.ts';
import { reopenDeliveries } from '../../../src/delivery/control/reopen.ts';
import { deliver } from '../../../src/delivery/deliver.ts';
import { isAnySubmitted } from '../../../src/delivery/queue/refusals.ts';
import type { DeliveryRunResult } from '../../../src/delivery/run.ts';
import { type Connection, TransportError } from '../../../src/delivery/transport/connection.ts';
import { openTransport } from '../../../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, testConfig } from '../fixture.ts';
import { closeServers, startScripted, startServer } from '../servers.ts';

afterEach(closeServers);

const TEMPLATES = openTemplates('templates', 'UTC');
/** Parsing it takes longer than a run. */
const CONFIG = testConfig({ delivery: { transport: 'smtp' } });

/** A server with a reply for some recipients. */
function startReplying(reply: (address: string) => string | undefined): ReturnType<typeof startScripted> {
  return startScripted((command) => {
    const to = /^RCPT TO:<(.*?)>/.exec(command)?.[1];
    return to === undefined ? undefined : reply(to);
  });
}

/** Options of a server of smtp-server that refuses some recipients. */
function refusing(reply: (address: string) => string | null): SMTPServerOptions {
  return {
    onRcptTo({ address }, _session, done) {
      const text = reply(address);
      const responseCode = Number(text?.slice(0, 3));
      done(text === null ? null : Object.assign(new Error(text.slice(4)), { responseCode }));
    },
  };
}

/** That many addresses, by turns of some domains. */
function addresses(count: number, domains: number): string[] {
  return Array.from({ length: count }, (_, n) => `subscriber${n}@domain${n % domains}.example`);
}

async function run(
  store: Store,
  url: string,
  options: { now?: number; connections?: number; signal?: AbortSignal } = {},
): Promise<DeliveryRunResult> {
  const { now = NOW, connections = 1, signal } = options;
  const config = { ...CONFIG, delivery: { ...CONFIG.delivery, connections } };
  return deliver(store, config, openTransport({ ...config, secrets: { smtpUrl: url } }), {
    clock: () => now,
    secrets: SECRETS,
    signers: [],
    templates: TEMPLATES,
    random: () => 0,
    signal,
  });
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

    it('is not assumed from a few recipients of one domain that an earlier run left', async () => {
      const store = await open();
      const others = Array.from({ length: 12 }, (_, n) => `subscriber${n}@example.org`);
      const { editionId } = await queueEdition(store, [
        'ada@example.com',
        'bo@example.com',
        'cy@example.com',
        ...others,
      ]);
      let reply = '451 4.3.0 come back later';
      const server = await startReplying((to) => (to.endsWith('@example.com') ? reply : undefined));
      expect(await isAnySubmitted(store.reports, editionId)).toBe(false);
      expect(await run(store, server.url)).toMatchObject({ submitted: 12, deferred: 3 });
      expect(await isAnySubmitted(store.reports, editionId)).toBe(true);
      reply = '550 5.7.1 we do not like you';
      expect(await run(store, server.url, { now: NOW + HOUR })).toMatchObject({ failed: 3, paused: [], stopped: null });
      const { delivery_state } = await store.db
        .selectFrom('editions')
        .select('delivery_state')
        .executeTakeFirstOrThrow();
      expect(delivery_state).toBe('done');
    });

    it('is assumed from five recipients of several domains of an earlier run, and fails none of them', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, [
        'first@example.com',
        ...Array.from({ length: 8 }, (_, n) => `subscriber@domain${n}.example`),
      ]);
      let reply = '451 4.3.0 come back later';
      const server = await startReplying((to) => (to.startsWith('first') ? undefined : reply));
      expect(await run(store, server.url)).toMatchObject({ submitted: 1, deferred: 8 });
      reply = '550 5.7.1 we do not like you';
      expect(await run(store, server.url, { now: NOW + HOUR })).toMatchObject({
        failed: 0,
        deferred: 0,
        paused: [{ editionId }],
      });
      const pending = (await deliveriesOf(store)).filter(
        ({ state, attempts }) => state === 'pending' && attempts === 1,
      );
      expect(pending).toHaveLength(8);
      // Five were refused before the edition was paused.
      expect(server.commands.filter((command) => command.startsWith('RCPT'))).toHaveLength(9 + 5);
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

    it('is found out by a process that was restarted', async () => {
      const store = await open();
      await queueEdition(store, addresses(30, 10));
      const stop = new AbortController();
      let refusals = 0;
      const server = await startReplying(() => {
        refusals += 1;
        if (refusals === 12) stop.abort();
        return '550 relay not permitted';
      });
      expect(await run(store, server.url, { signal: stop.signal })).toMatchObject({ failed: 12, paused: [] });
      expect(await run(store, server.url)).toMatchObject({ paused: [{}] });
      expect(refusals).toBe(20);
      const rows = await deliveriesOf(store);
      expect(rows.filter(({ state, attempts }) => state === 'pending' && attempts === 0)).toHaveLength(30);
    });

    it('is not assumed if another process had a success, which the ledger shows', async () => {
      const store = await open();
      await queueEdition(store, addresses(40, 10));
      const stop = new AbortController();
      let refusals = 0;
      const server = await startReplying(() => {
        refusals += 1;
        if (refusals === 19) stop.abort();
        return '550 no such user';
      });
      expect(await run(store, server.url, { signal: stop.signal })).toMatchObject({ failed: 19 });
      const last = (await deliveriesOf(store)).at(-1)?.subscriber_id ?? 0;
      await store.db
        .updateTable('deliveries')
        .set({ state: 'submitted', changed_at: NOW + 1 })
        .where('subscriber_id', '=', last)
        .execute();
      expect(await run(store, server.url, { now: NOW + 2 })).toMatchObject({ failed: 20, paused: [] });
    });

    it('by one domain pauses that domain, and the others go on; it is delivered once it is resumed', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, addresses(66, 3));
      let isBlocked = true;
      const server = await startReplying((to) =>
        isBlocked && to.endsWith('@domain1.example') ? `550 blocked: ${to}` : undefined,
      );
      const report = await run(store, server.url, { connections: 2 });
      const reason = `domain1.example refuses every recipient: 127.0.0.1:${server.port} answered: 550 blocked: <address>`;
      expect(report).toMatchObject({ submitted: 44, failed: 0, deferred: 0 });
      expect(report.paused).toEqual([{ editionId, domain: 'domain1.example', reason }]);
      const waiting = (await deliveriesOf(store)).filter(({ state }) => state === 'pending');
      expect(waiting).toHaveLength(22);
      expect(waiting.every(({ attempts }) => attempts === 0)).toBe(true);
      isBlocked = false;
      expect(await run(store, server.url, { now: NOW + HOUR })).toMatchObject({ submitted: 0 });
      expect(await resumeDomains(store.db, editionId, NOW + HOUR)).toEqual(['domain1.example']);
      expect(await run(store, server.url, { now: NOW + HOUR })).toMatchObject({ submitted: 22 });
      expect(await stateOfEdition(store)).toBe('done');
    });

    it('by one domain pauses it although it has deferred the same recipients before', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, addresses(44, 2));
      let reply = '451 4.7.1 greylisted';
      const server = await startReplying((to) => (to.endsWith('@domain1.example') ? reply : undefined));
      expect(await run(store, server.url)).toMatchObject({ submitted: 22, deferred: 22 });
      reply = '550 blocked';
      const report = await run(store, server.url, { now: NOW + HOUR });
      expect(report).toMatchObject({ failed: 0, paused: [{ editionId, domain: 'domain1.example' }] });
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

  it('ends the run without the token when it quotes our return path', async () => {
    const store = await open();
    await queueEdition(store, 1);
    const server = await startScripted((command) =>
      command.startsWith('MAIL')
        ? '553 5.7.1 <bounces+babcdefghijklmnop@example.com>: Sender address rejected'
        : undefined,
    );
    const { stopped } = await run(store, server.url);
    expect(stopped).toMatch(/ answered: 553 5\.7\.1 <address>: Sender address rejected$/);
  });

  it('ends the run without the address in a file name when the disk is full', async () => {
    const store = await open();
    await queueEdition(store, ['ada@example.com']);
    const submit: Connection['submit'] = async ({ to }) => {
      const message = `/var/mail/${to}.eml cannot be written (ENOSPC)`;
      throw new TransportError({ code: 'ENOSPC', replyCode: null, command: null, reply: null, message });
    };
    const connection = { usable: true, submit, close: () => {} };
    const transport = { connections: 1, connect: async () => connection, verify: async () => {} };
    const report = await deliver(store, testConfig(), transport, {
      clock: () => NOW,
      secrets: SECRETS,
      signers: [],
      templates: TEMPLATES,
    });
    expect(report.stopped).toBe('/var/mail/<address> cannot be written (ENOSPC)');
  });

  it('asks the ledger for successes of earlier runs only when a limit may be reached', async () => {
    const store = await open();
    await queueEdition(store, ['first@example.org', ...Array.from({ length: 5 }, (_, n) => `a@dead${n}.example`)]);
    const server = await startReplying((to) => (to.startsWith('first') ? undefined : '421 4.7.0 too many'));
    let queries = 0;
    const reports = store.reports.withPlugin({
      transformQuery: ({ node }) => {
        queries += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    expect(await run({ ...store, reports }, server.url)).toMatchObject({
      submitted: 1,
      stopped: expect.stringContaining('too many'),
    });
    expect(queries).toBe(0);
  });

  it.each([
    ['550 relay not permitted', '550 relay not permitted'],
    ['550 5.1.1 <address>: no such user', '550 5.1.1 <%>: no such user'],
    ['553 sorry, that domain is not allowed (#5.7.1)', '553 sorry, that domain is not allowed (#5.7.1)'],
    ['451 4.3.0 lost the database', '451 4.3.0 lost the database'],
  ])('whatever the status, fails nobody: %s', async (words, reply) => {
    const store = await open();
    const { editionId } = await queueEdition(store, addresses(30, 6));
    const server = await startServer(refusing((to) => reply.replace('%', to)));
    const report = await run(store, server.url, { connections: 3 });
    expect(report).toMatchObject({ submitted: 0, failed: 0, deferred: 0 });
    const reason = `the server refuses every recipient: 127.0.0.1:${server.port} answered: ${words}`;
    const isTemporary = reply.startsWith('4');
    expect(report.stopped).toBe(isTemporary ? reason : null);
    expect(report.paused).toEqual(isTemporary ? [] : [{ editionId, reason }]);
    const rows = await deliveriesOf(store);
    expect(rows.filter(({ state, attempts }) => state === 'pending' && attempts === 0)).toHaveLength(30);
    // Each of the three connections may have had one more under way.
    const refused = rows.filter((row) => row.reply !== null).length;
    expect(refused).toBeGreaterThanOrEqual(20);
    expect(refused).toBeLessThanOrEqual(23);
    expect(await store.db.selectFrom('edition_refusals').selectAll().execute()).toEqual([]);
  });

  it('costs a success nothing, unless it ends refusals', async () => {
    const store = await open();
    await queueEdition(store, addresses(12, 3));
    const server = await startReplying((to) => (to.startsWith('subscriber6@') ? '550 5.1.1 no such user' : undefined));
    const statements: string[] = [];
    const batch: Store['batch'] = (queries) => {
      statements.push(...queries.map((query) => query.sql));
      return store.batch(queries);
    };
    expect(await run({ ...store, batch }, server.url)).toMatchObject({ submitted: 11, failed: 1 });
    const refusals = statements.filter((statement) => statement.includes('edition_refusals'));
    expect(statements.length).toBeGreaterThan(12);
    // One that notes the refusal; two by the next success; two by the next one of the same domain.
    expect(refusals).toHaveLength(5);
  });

  it('is found out from all three recipients of a small edition, of two domains', async () => {
    const store = await open();
    const { editionId } = await queueEdition(store, ['a@example.com', 'b@example.com', 'c@example.org']);
    const server = await startReplying(() => '550 relay not permitted');
    expect(await run(store, server.url)).toMatchObject({ failed: 0, paused: [{ editionId }] });
  });

  it('is found out after 50 in a row when it begins in the middle', async () => {
    const store = await open();
    await queueEdition(store, addresses(60, 10));
    let accepted = 0;
    const server = await startReplying(() => (accepted++ < 2 ? undefined : '550 5.1.1 no such user'));
    expect(await run(store, server.url)).toMatchObject({ submitted: 2, failed: 0, paused: [{}] });
    expect(accepted).toBe(52);
  });

  it('is not assumed from dead addresses among others, nor from many in a row of one old domain', async () => {
    const store = await open();
    const scattered = addresses(60, 10).map((email, n) => (n % 4 === 3 ? `dead-${email}` : email));
    const { editionId } = await queueEdition(store, [
      ...scattered,
      ...Array.from({ length: 25 }, (_, n) => `dead-${n}@old.example`),
    ]);
    const server = await startReplying((to) => (to.startsWith('dead') ? '550 5.1.1 no such user' : undefined));
    const report = await run(store, server.url, { connections: 2 });
    expect(report).toMatchObject({ submitted: 45, failed: 15, stopped: null });
    expect(report.paused).toMatchObject([{ editionId, domain: 'old.example' }]);
    expect(await stateOfEdition(store)).toBe('delivering');
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
    const request = { kinds: ['failed'] as const, domain: null, expiresAt: NOW + HOUR, isDryRun: false };
    expect(await reopenDeliveries(store, editionId, request, NOW)).toMatchObject({ reopened: 54 });
    expect(await run(store, server.url, { now: NOW + 1 })).toMatchObject({ failed: 54, paused: [] });
    expect(await stateOfEdition(store)).toBe('done');
  });
});
