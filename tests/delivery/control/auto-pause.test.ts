import { afterEach, describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { deliver } from '../../../src/delivery/deliver.ts';
import { isAnySubmitted } from '../../../src/delivery/queue/queries.ts';
import type { DeliveryReport } from '../../../src/delivery/run.ts';
import { type Connection, TransportError } from '../../../src/delivery/transport/connection.ts';
import { openTransport } from '../../../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { HOUR } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import { eraseSubscriber } from '../../../src/subscribers/erasure.ts';
import { exportSubscriberData } from '../../../src/subscribers/export-data.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, testConfig } from '../fixture.ts';
import { closeServers, startScripted } from '../servers.ts';

afterEach(closeServers);

const TEMPLATES = openTemplates('templates', 'UTC');

/** A server with a reply for some recipients. */
function startReplying(reply: (address: string) => string | undefined): ReturnType<typeof startScripted> {
  return startScripted((command) => {
    const to = /^RCPT TO:<(.*?)>/.exec(command)?.[1];
    return to === undefined ? undefined : reply(to);
  });
}

async function run(store: Store, url: string, now = NOW): Promise<DeliveryReport> {
  const config = testConfig({ delivery: { transport: 'smtp', connections: 1 } });
  return deliver(store, config, openTransport({ ...config, secrets: { smtpUrl: url } }), {
    clock: () => now,
    secrets: SECRETS,
    signers: [],
    templates: TEMPLATES,
    random: () => 0,
  });
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
      expect(await run(store, server.url, NOW + HOUR)).toMatchObject({ failed: 3, paused: [], stopped: null });
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
      expect(await run(store, server.url, NOW + HOUR)).toMatchObject({
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

    it('looks once per run and edition for submissions of earlier runs, and not after a success', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, ['first@example.org', 'a@one.example', 'b@two.example']);
      const server = await startReplying((to) => (to.startsWith('first') ? undefined : '421 4.7.0 too many'));
      let queries = 0;
      const reports = store.reports.withPlugin({
        transformQuery: ({ node }) => {
          queries += 1;
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      expect(await run({ ...store, reports }, server.url)).toMatchObject({ submitted: 1, deferred: 2 });
      expect(queries).toBe(0);
      expect(await run({ ...store, reports }, server.url, NOW + HOUR)).toMatchObject({ deferred: 2, paused: [] });
      expect(queries).toBe(1);
      expect(await isAnySubmitted(store.db, editionId)).toBe(true);
    });
  });
});
