import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { recordRejection } from '../../../src/articles/rejections.ts';
import { deleteOldRuns } from '../../../src/core/schedule/retention.ts';
import { claimRun, finishRun, recordWaitingRun } from '../../../src/core/schedule/run-ledger.ts';
import {
  countDelivered,
  foldCountSlots,
  readDelivered,
  readDeliveryTotals,
  readStateCounts,
} from '../../../src/core/store/counts.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { CountedSubject } from '../../../src/core/store/tables.ts';
import { cancelEdition } from '../../../src/delivery/control/edition-control.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import type { DeliveryOutcome } from '../../../src/delivery/queue/delivery-outcome.ts';
import { markSubmitting, recordOutcomes } from '../../../src/delivery/queue/outbox.ts';
import { queueDeliveries } from '../../../src/delivery/queue/queue-deliveries.ts';
import { foldDeliveries } from '../../../src/delivery/retention.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
const TERMS = { deliverAt: undefined, expireAfterHours: 12, zone: 'UTC' };

/** Scope and state of the rows of each counted table. */
const COUNTED: [CountedSubject, scope: string, state: string][] = [
  ['subscriptions', 'newsletter', 'state'],
  ['service_messages', "''", 'state'],
  ['runs', 'schedule', 'state'],
  ['bounces', "''", 'kind'],
  ['suppressions', "''", 'reason'],
  ['rejections', "''", 'stage'],
];

async function countRows({ db }: Store): Promise<string[]> {
  const rows: string[] = [];
  for (const [table, scope, state] of [['deliveries', 'edition_id', 'state'], ...COUNTED] as const) {
    const counts = await sql<{ line: string }>`
      select ${sql.lit(table)} || ' ' || scope || ' ' || state || ' ' || count(*) as line
      from (select ${sql.raw(scope)} as scope, ${sql.raw(state)} as state from ${sql.table(table)}) as keys
      group by scope, state`.execute(db);
    rows.push(...counts.rows.map(({ line }) => line));
  }
  return rows.sort();
}

async function readCounts({ db }: Store): Promise<{ now: string[]; ever: Map<string, number> }> {
  const now: string[] = [];
  const ever = new Map<string, number>();
  const deliveries = await sql<{ edition_id: number; state: string; count: number; entered: number }>`
    select edition_id, state, cast(sum(count) as bigint) as count, cast(sum(entered) as bigint) as entered
    from delivery_counts group by edition_id, state`.execute(db);
  for (const row of deliveries.rows) {
    expect(row.entered).toBeGreaterThanOrEqual(row.count);
    if (row.count !== 0) now.push(`deliveries ${row.edition_id} ${row.state} ${row.count}`);
  }
  for (const { newsletter, state, entered } of await readDeliveryTotals(db)) {
    ever.set(`deliveries ${newsletter} ${state}`, entered);
  }
  for (const [subject] of COUNTED) {
    for (const { scope, state, count, entered } of await readStateCounts(db, subject)) {
      expect(entered).toBeGreaterThanOrEqual(count);
      if (count !== 0) now.push(`${subject} ${scope} ${state} ${count}`);
      ever.set(`${subject} ${scope} ${state}`, entered);
    }
  }
  return { now: now.sort(), ever };
}

type Operation = (store: Store, at: number, outcome: DeliveryOutcome) => Promise<unknown>;

async function newestEdition({ db }: Store): Promise<number> {
  const { id } = await db
    .selectFrom('editions')
    .select((e) => e.fn.max('id').as('id'))
    .executeTakeFirstOrThrow();
  return id;
}

const operations: Record<string, Operation> = {
  'queues an edition': async (store, at) => {
    const changes = { slot: `slot-${at}`, number: at, articleId: `roundup-${at}`, closedAt: NOW };
    const { editionId } = await queueEdition(store, 1, changes as Parameters<typeof queueEdition>[2]);
    await store.db.deleteFrom('deliveries').where('edition_id', '=', editionId).execute();
    await store.db
      .transaction()
      .execute((tx) => queueDeliveries(tx, { id: editionId, newsletter: 'daily-roundup' }, TERMS, NOW));
  },
  'submits some deliveries': async (store, at, outcome) => {
    const claiming = { now: NOW + at, limit: 3, leaseMs: HOUR, uncertain: 'retry', dailyLimit: null } as const;
    const { deliveries } = await claimDeliveries(store, claiming);
    await store.db.transaction().execute((tx) => markSubmitting(tx, deliveries, NOW + at, HOUR));
    const outcomes = deliveries.slice(1).map((claim) => ({ claim, outcome }));
    await recordOutcomes(store.db, outcomes, NOW + at);
  },
  'cancels an edition': async (store) => cancelEdition(store, await newestEdition(store), 'why', NOW).catch(() => {}),
  'deletes old deliveries and runs': async (store) => {
    await foldDeliveries(store, NOW + DAY);
    await deleteOldRuns(store.db, NOW + DAY);
  },
  'adds up slots': (store) => foldCountSlots(store.db),
  'ends a subscription': (store, at) =>
    store.db
      .updateTable('subscriptions')
      .set({ state: at % 2 === 0 ? 'unsubscribed' : 'confirmed' })
      .where('subscriber_id', '<=', at)
      .execute(),
  'erases a subscriber': (store, at) =>
    store.db
      .deleteFrom('subscribers')
      .where('id', '=', at % 7)
      .execute(),
  'lets a run wait': ({ db }, at) =>
    recordWaitingRun(db, { schedule: 'publish', slotAt: NOW + at, covers: 1 }, 'held by Ada', NOW),
  'records a run': async ({ db }, at) => {
    const claim = await claimRun(db, { schedule: 'publish', slotAt: NOW + at, covers: 1 }, NOW + at, NOW);
    if (claim !== null) await finishRun(db, claim, { state: 'done', reason: null, retryAt: null }, NOW);
  },
  'records bounces, and deletes one': async ({ db }, at) => {
    const bounce = { subscriber_id: at, at: NOW };
    await db
      .insertInto('bounces')
      .values([
        { ...bounce, kind: 'hard' },
        { ...bounce, kind: 'soft' },
      ])
      .execute();
    await db.deleteFrom('bounces').where('kind', '=', 'hard').execute();
  },
  'suppresses an address twice': async ({ db }, at) => {
    for (const reason of ['complaint', 'erased'] as const) {
      await db
        .insertInto('suppressions')
        .values({ address_hash: `hash ${at}`, reason, at: NOW })
        .onConflict((conflict) => conflict.column('address_hash').doUpdateSet({ reason }))
        .execute();
    }
  },
  'rejects an input': ({ db }, at) => {
    const place = { stage: 'import' as const, source: 'a.md', line: at % 3, articleId: null };
    return recordRejection(db, { ...place, problems: [], raw: '' }, NOW);
  },
};

forBothDatabases((open) => {
  it('counts rows by state as a count over the rows does, and totals never decrease', async () => {
    const store = await open();
    let at = 1;
    let before = new Map<string, number>();
    const outcome = fc.constantFrom<DeliveryOutcome>(
      { kind: 'submitted', reply: '250' },
      { kind: 'failed', reply: '550', reason: 'no' },
      { kind: 'deferred', dueAt: NOW, reply: '450', reason: 'later' },
      { kind: 'suppressed', reason: 'paused' },
      { kind: 'uncertain', reason: 'broken' },
    );
    const step = fc.tuple(fc.constantFrom(...Object.keys(operations)), outcome);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 10 }), async (steps) => {
        await operations['queues an edition']?.(store, ++at, { kind: 'released', reason: null });
        for (const [name, result] of steps) await operations[name]?.(store, ++at, result);
        const { now, ever } = await readCounts(store);
        expect(now).toEqual(await countRows(store));
        for (const [key, total] of before) expect(ever.get(key) ?? 0, key).toBeGreaterThanOrEqual(total);
        before = ever;
      }),
      { numRuns: 12, endOnFailure: true },
    );
    expect(before.size).toBeGreaterThan(5);
  });

  it('counts what is reported as delivered in any connection, also when its slots are added up', async () => {
    const store = await open();
    const report = (editionId: number) => store.db.transaction().execute((tx) => countDelivered(tx, editionId, 1));
    await Promise.all([1, 1, 2, 1].map(report));
    await foldCountSlots(store.db);
    await report(1);
    expect(await readDelivered(store.db, [1, 2, 3])).toEqual(
      new Map([
        [1, 4],
        [2, 1],
      ]),
    );
    expect(await readDelivered(store.db, [])).toEqual(new Map());
  });
});
