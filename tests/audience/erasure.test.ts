import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../scripts/test-edition.ts';
import { auditAct } from '../../src/accounts/audit.ts';
import { CAPABILITIES } from '../../src/app/capabilities.ts';
import { changesRateKey } from '../../src/audience/account-links.ts';
import { eraseSubscriber } from '../../src/audience/erasure.ts';
import { exportSubscriberData, recordExport } from '../../src/audience/export-data.ts';
import { subscriberHistory } from '../../src/audience/history.ts';
import { addSubscriber } from '../../src/audience/subscriptions.ts';
import {
  findSuppression,
  hashAddress,
  subscriberSubject,
  suppressAddress,
  suppressionSubject,
} from '../../src/audience/suppression.ts';
import type { PersonalTables } from '../../src/core/capability.ts';
import type { SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import { acquirePermit } from '../../src/core/store/rate-limits.ts';
import { inTransaction, type Store } from '../../src/core/store/store.ts';
import { HOUR, MINUTE } from '../../src/lib/time.ts';
import { forBothDatabases } from '../support/databases.ts';
import { ROOT, SECRETS, sampleConfig } from '../support/sample.ts';
import { addCopy, CHOICE, NOW, OPERATOR, requestNewsletters } from './fixtures.ts';

const EMAIL = 'subscriber1@example.com';

/** All tables with data about subscribers. */
const PERSONAL_DATA: PersonalTables = Object.assign({}, ...CAPABILITIES.map(({ personalData }) => personalData));

/** Those with a subscriber id. */
const subscriberTables = [
  ...(['subscriptions', 'consent_events', 'deliveries', 'service_messages', 'bounces', 'edition_refusals'] as const),
];
type SubscriberTable = (typeof subscriberTables)[number];

/** Adds two subscribers with rows in every table. */
async function addTwo(store: Store): Promise<{ id: number; other: number }> {
  const { editionId, subscriberIds } = await queueEdition(store, 2);
  const [id, other] = subscriberIds as [number, number];
  await requestNewsletters(store, ['weekly'], { email: EMAIL, zone: 'Asia/Tokyo' });
  await requestNewsletters(store, ['weekly'], { email: 'subscriber2@example.com' });
  for (const [subscriber_id, email] of [[id, EMAIL] as const, [other, 'subscriber2@example.com'] as const]) {
    const detail = `${email} is full`;
    await store.db
      .insertInto('bounces')
      .values({ edition_id: editionId, subscriber_id, kind: 'soft', status: '4.2.2', detail, at: NOW })
      .execute();
    const refusal = { subscriber_id, domain: 'example.com', kind: 'permanent' as const, repeated: 0, fence: 1 };
    await store.db
      .insertInto('edition_refusals')
      .values({ edition_id: editionId, accepted: 0, ...refusal })
      .execute();
  }
  return { id, other };
}

async function setDelivery(
  { db }: Store,
  subscriberId: number,
  delivery: { state: 'pending' | 'submitting' | 'submitted' | 'failed'; reply?: string; reason?: string },
): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ fence: 3, lease_until: NOW + HOUR, ...delivery })
    .where('subscriber_id', '=', subscriberId)
    .execute();
}

function deliveryOf({ db }: Store, subscriberId: number) {
  return db.selectFrom('deliveries').selectAll().where('subscriber_id', '=', subscriberId).executeTakeFirstOrThrow();
}

/** All rows of the tables with data about subscribers, as text. */
async function allText({ db }: Store): Promise<string> {
  const tables = [...subscriberTables, 'subscribers', 'suppressions', 'rate_limits'] as const;
  const rows = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
  return JSON.stringify(rows);
}

describe('eraseSubscriber', () => {
  forBothDatabases((open) => {
    it('leaves only a keyed hash, and does not change other subscribers', async () => {
      const store = await open();
      const { id, other } = await addTwo(store);
      await setDelivery(store, id, {
        state: 'failed',
        reply: `550 <${EMAIL}>: unknown`,
        reason: `${EMAIL} is unknown`,
      });
      for (const one of [id, other]) await acquirePermit(store.db, changesRateKey(one), { everyMs: 1, burst: 1 }, NOW);
      const others = await exportSubscriberData(store.db, other);
      expect(await eraseSubscriber(store.db, SECRETS, id, NOW + 5)).toBe(true);

      const text = await allText(store);
      expect(text).not.toContain(EMAIL);
      expect(text).not.toContain('Asia/Tokyo');
      expect(await exportSubscriberData(store.db, id)).toBeNull();
      expect(await exportSubscriberData(store.db, other)).toEqual(others);
      const hash = hashAddress(SECRETS[0], EMAIL);
      expect(await store.db.selectFrom('suppressions').selectAll().execute()).toEqual([
        { address_hash: hash, reason: 'erased', at: NOW + 5 },
      ]);
      // Of the two addresses, the domain and the form, only the erased address is gone.
      const keys = await store.db.selectFrom('rate_limits').select('key').orderBy('key').execute();
      expect(keys.map(({ key }) => key.replace(/[0-9a-f]{64}$/, 'HASH'))).toEqual([
        'address:HASH',
        changesRateKey(other),
        'signup all',
        'signup domain:HASH',
      ]);
      expect(await deliveryOf(store, id)).toMatchObject({ state: 'failed', reply: null, reason: 'erased', fence: 3 });
      expect(await eraseSubscriber(store.db, SECRETS, id, NOW + 9)).toBe(false);
    });

    it.each([
      ['pending', 'erased'],
      ['submitting', 'erased while it was being submitted'],
    ] as const)('ends a delivery that is %s, so that its worker can record nothing more', async (state, reason) => {
      const store = await open();
      const { id } = await addTwo(store);
      await setDelivery(store, id, { state, reply: `450 ${EMAIL} later`, reason: `${EMAIL}: greylisted` });
      await eraseSubscriber(store.db, SECRETS, id, NOW + 5);
      expect(await deliveryOf(store, id)).toMatchObject({
        state: 'suppressed',
        reason,
        reply: null,
        fence: 4,
        lease_until: null,
        changed_at: NOW + 5,
      });
    });

    it('blanks the reasons that operators typed about the person in the audit log, and no others', async () => {
      const store = await open();
      const { id, other } = await addTwo(store);
      const subjects = [
        subscriberSubject(id),
        suppressionSubject(hashAddress(SECRETS[0], EMAIL)),
        subscriberSubject(other),
        `${subscriberSubject(id)}1`,
      ];
      for (const subject of subjects) {
        const detail = { reason: 'phoned: her mother is ill', suppressed: 'operator' };
        await inTransaction(store.db, auditAct('console', NOW, { act: 'subscriber.lift', subject, detail }));
      }
      await eraseSubscriber(store.db, SECRETS, id, NOW + 5);
      const rows = await store.db.selectFrom('audit_log').select('detail').orderBy('id').execute();
      expect(rows.map(({ detail }) => JSON.parse(detail).reason)).toEqual([
        ...['', ''],
        ...Array(2).fill('phoned: her mother is ill'),
      ]);
    });

    it('keeps submitted deliveries in the totals', async () => {
      const store = await open();
      const { id } = await addTwo(store);
      await setDelivery(store, id, { state: 'submitted', reply: `250 queued for ${EMAIL}` });
      await eraseSubscriber(store.db, SECRETS, id, NOW + 5);
      expect(await deliveryOf(store, id)).toMatchObject({ state: 'submitted', reply: null, reason: null });
    });

    it('suppresses the address until a new opt-in, even after a rotation of the secret', async () => {
      const store = await open();
      const { id } = await addTwo(store);
      await suppressAddress(store.db, SECRETS, id, 'hard-bounce', { channel: 'bounce' }, NOW);
      const rotated: SigningSecrets = ['a newer secret, of thirty-two characters too', ...SECRETS];
      await eraseSubscriber(store.db, rotated, id, NOW + 5);
      expect(await store.db.selectFrom('suppressions').selectAll().execute()).toEqual([
        { address_hash: hashAddress(rotated[0], EMAIL), reason: 'erased', at: NOW + 5 },
      ]);
      const subscriber = { email: EMAIL, newsletters: ['daily'] };
      expect(await addSubscriber(store.db, rotated, subscriber, OPERATOR, NOW)).toMatchObject({ kind: 'refused' });
    });

    it.each(['operator', 'complaint'] as const)('does not lift a suppression by the %s', async (reason) => {
      const store = await open();
      const { id } = await addTwo(store);
      await suppressAddress(store.db, SECRETS, id, reason, OPERATOR, NOW);
      // The list was hashed with a secret that is lost.
      await store.db.deleteFrom('suppressions').execute();
      await eraseSubscriber(store.db, SECRETS, id, NOW + 5);
      expect(await findSuppression(store.db, SECRETS, EMAIL)).toMatchObject({ reason });
    });

    it('erases once if called twice at the same time', async () => {
      const store = await open();
      const { id } = await addTwo(store);
      const erase = () => eraseSubscriber(store.db, SECRETS, id, NOW);
      expect((await Promise.all([erase(), erase()])).sort()).toEqual([false, true]);
    });
  });
});

describe('the data about a subscriber', () => {
  it('is documented: each table with what, why, how long, export and erasure', () => {
    const documented = readFileSync(join(ROOT, 'docs/law.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const rows = documented.map((line) => {
      const cells = line.split('|').map((cell) => cell.trim());
      const [table, what, why, kept, exported, erased] = cells.slice(1, -1) as [string, ...string[]];
      const [, key = null] = /^`(\w+)`$/.exec(exported ?? '') ?? [];
      const [, erasure, reason] = /^(\w+)(: .+)?$/.exec(erased ?? '') ?? [];
      const isComplete = [what, why, kept].every((text) => text !== undefined && text !== '');
      const hasReasons =
        (key !== null || /^no: .+/.test(exported ?? '')) && (erasure === 'deleted' || reason !== undefined);
      return { table: table.replaceAll('`', ''), exportedAs: key, erasure, isComplete: isComplete && hasReasons };
    });
    const tables = CAPABILITIES.flatMap(({ personalData = {} }) => Object.entries(personalData));
    const inOrder = <T extends { table: string }>(list: T[]) => list.toSorted((a, b) => a.table.localeCompare(b.table));
    expect(inOrder(rows)).toEqual(inOrder(tables.map(([table, data]) => ({ table, ...data, isComplete: true }))));
    const keys = [...documented.join().matchAll(/`((?:retention|signup)\.\w+)`/g)].map(([, key]) => key as string);
    const { retention, signup } = sampleConfig();
    const config: Record<string, object> = { retention, signup };
    expect(keys.length).toBeGreaterThan(3);
    const isKey = ([group = '', key = '']: string[]): boolean => key in (config[group] ?? {});
    expect(keys.filter((key) => !isKey(key.split('.')))).toEqual([]);
  });

  forBothDatabases((open) => {
    it('is exported from every table that has a subscriber, and erased there', async () => {
      const store = await open();
      const { id, other } = await addTwo(store);
      const all = await store.db.introspection.getTables();
      const named = (pattern: RegExp) =>
        all.filter(({ columns }) => columns.some(({ name }) => pattern.test(name))).map(({ name }) => name);
      // A new table needs a row in `addTwo`, a list in the export, its deletion, and an entry in its capability and in
      // docs/law.md.
      expect(named(/^subscriber_id$/).sort()).toEqual([...subscriberTables].sort());
      // Of colleagues, not of subscribers.
      const ofAccounts = ['accounts', 'account_invitations'];
      expect(
        named(/subscriber_id|e_?mail|address|recipient|^domain$/).filter(
          (table) => !(table in PERSONAL_DATA) && !ofAccounts.includes(table),
        ),
      ).toEqual([]);
      expect(Object.keys(PERSONAL_DATA).filter((table) => !all.some(({ name }) => name === table))).toEqual([]);
      const exported = await exportSubscriberData(store.db, id);
      const count = (table: SubscriberTable, subscriberId: number) =>
        store.db.selectFrom(table).selectAll().where('subscriber_id', '=', subscriberId).execute();
      const listOf = (table: SubscriberTable): string => PERSONAL_DATA[table]?.exportedAs ?? 'nowhere';
      for (const list of new Set(subscriberTables.map(listOf))) {
        if (list === 'nowhere') continue;
        const sources = subscriberTables.filter((table) => listOf(table) === list);
        const rows = await Promise.all(sources.map((table) => count(table, id)));
        expect([list, rows.every(({ length }) => length > 0)]).toEqual([list, true]);
        const length = list === 'nowhere' ? undefined : rows.flat().length;
        expect([list, (exported?.[list] as unknown[] | undefined)?.length]).toEqual([list, length]);
      }
      await eraseSubscriber(store.db, SECRETS, id, NOW + 5);
      for (const table of subscriberTables) {
        const rows = await count(table, id);
        expect([table, rows.length > 0]).toEqual([table, PERSONAL_DATA[table]?.erasure === 'anonymised']);
        expect(JSON.stringify(rows)).not.toContain(EMAIL);
        expect([table, (await count(table, other)).length > 0]).toEqual([table, true]);
      }
    });

    it('is exported completely, with instants in RFC 3339', async () => {
      const store = await open();
      const { id } = await addTwo(store);
      await setDelivery(store, id, { state: 'submitted', reply: '250 2.0.0 queued as 4F1A' });
      await store.db
        .updateTable('deliveries')
        .set({ delivered_at: NOW + MINUTE })
        .execute();
      await suppressAddress(store.db, SECRETS, id, 'soft-bounces', { channel: 'bounce' }, NOW + HOUR);
      await recordExport(store.db, id, { channel: 'preferences', source: '192.0.2.9' }, NOW + 2 * HOUR);
      const at = '2026-11-24T07:30:00Z';
      const consent = { newsletter: null, source: null, detail: null, wording: null };
      const edition = { newsletter: 'daily-roundup', slot: '2026-11-24' };
      const everything = { choice: null, movedTo: null, privateFeedSince: null };
      expect(await exportSubscriberData(store.db, id)).toEqual({
        address: EMAIL,
        zone: null,
        knownSince: at,
        pausedUntil: null,
        suppressed: { reason: 'soft-bounces', since: '2026-11-24T08:30:00Z' },
        subscriptions: [
          { newsletter: 'daily-roundup', state: 'confirmed', since: at, ...everything },
          { newsletter: 'weekly', state: 'unconfirmed', since: at, ...everything },
        ],
        consent: [
          { ...consent, change: 'exported', channel: 'preferences', source: '192.0.2.9', at: '2026-11-24T09:30:00Z' },
          { ...consent, change: 'suppressed', channel: 'bounce', detail: 'soft-bounces', at: '2026-11-24T08:30:00Z' },
          { ...consent, change: 'requested', newsletter: 'weekly', channel: 'form', source: '192.0.2.7', at },
        ],
        deliveries: [
          {
            ...{ ...edition, revision: 1, state: 'submitted', attempts: 0, reply: '250 2.0.0 queued as 4F1A' },
            ...{ reason: null, copy: null, at, deliveredAt: '2026-11-24T07:31:00Z' },
          },
        ],
        serviceMessages: [
          {
            kind: 'confirm',
            newsletters: ['weekly'],
            zone: 'Asia/Tokyo',
            choices: null,
            state: 'pending',
            attempts: 0,
            reply: null,
            reason: null,
            requestedAt: at,
            expiresAt: '2026-11-27T07:30:00Z',
            usedAt: null,
            at,
          },
        ],
        bounces: [{ ...edition, kind: 'soft', status: '4.2.2', detail: `${EMAIL} is full`, at }],
      });
    });

    it('has what was chosen, the private feed, and the stories of each copy', async () => {
      const store = await open();
      const { id, other } = await addTwo(store);
      await addCopy(store, [id]);
      await store.db
        .updateTable('subscriptions')
        .set({ choice: CHOICE, moved_to: 'weekly', feed_since: NOW + HOUR })
        .where('subscriber_id', '=', id)
        .where('newsletter', '=', 'daily-roundup')
        .execute();
      await store.db
        .updateTable('service_messages')
        .set({ choices: `{"weekly":${JSON.stringify(CHOICE)}}` })
        .where('subscriber_id', '=', id)
        .execute();
      const exported = await exportSubscriberData(store.db, id);
      const choice = { sections: ['health'] };
      expect(exported).toMatchObject({
        subscriptions: [
          { choice, movedTo: 'weekly', privateFeedSince: '2026-11-24T08:30:00Z' },
          { choice: null, movedTo: null, privateFeedSince: null },
        ],
        deliveries: [{ copy: { choice, stories: ['first', 'third'], of: 3 } }],
        serviceMessages: [{ choices: { weekly: CHOICE } }],
      });
      const whole = { choice: null, stories: ['first', 'second', 'third'], of: 3 };
      expect((await subscriberHistory(store.db, other)).deliveries).toMatchObject([{ copy: whole }]);
    });

    it.each(['pending', 'submitted'] as const)('is not linked to a choice after an erasure: %s', async (state) => {
      const store = await open();
      const { id, other } = await addTwo(store);
      const copyId = await addCopy(store, [id, other]);
      await setDelivery(store, id, { state });
      await store.db.updateTable('subscriptions').set({ choice: CHOICE }).where('subscriber_id', '=', id).execute();
      await eraseSubscriber(store.db, SECRETS, id, NOW + 5);
      expect(await deliveryOf(store, id)).toMatchObject({ copy_id: null, reply: null });
      expect(await deliveryOf(store, other)).toMatchObject({ copy_id: copyId });
      expect(await allText(store)).not.toContain('health');
    });

    it('has the deliveries of each revision of an edition', async () => {
      const store = await open();
      const { editionId: first, subscriberIds } = await queueEdition(store, [EMAIL]);
      const { editionId: second } = await queueEdition(store, [EMAIL], { revision: 2, articleId: 'unused' });
      await store.db.updateTable('editions').set({ superseded_by: second }).where('id', '=', first).execute();
      const { deliveries } = await subscriberHistory(store.db, subscriberIds[0]!);
      expect(deliveries.map(({ slot, revision }) => [slot, revision])).toEqual([
        ['2026-11-24', 2],
        ['2026-11-24', 1],
      ]);
    });

    it('is listed for the operator, newest first, up to a limit', async () => {
      const store = await open();
      const { id } = await addTwo(store);
      const history = await subscriberHistory(store.db, id, 1);
      expect(history.consent).toMatchObject([{ change: 'requested', newsletter: 'weekly', at: NOW }]);
      expect(history.deliveries).toMatchObject([{ newsletter: 'daily-roundup', state: 'pending', changedAt: NOW }]);
      expect(history.serviceMessages).toMatchObject([{ kind: 'confirm', createdAt: NOW }]);
      expect(history.bounces).toHaveLength(1);
      expect(await subscriberHistory(store.db, id + 100, 1)).toEqual({
        consent: [],
        deliveries: [],
        serviceMessages: [],
        bounces: [],
      });
    });
  });
});
