/** The circuit breaker against a model, for any order of outcomes in two processes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Db, Store } from '../../../src/core/store/store.ts';
import { BackOffState } from '../../../src/delivery/control/back-off-state.ts';
import { CircuitBreaker } from '../../../src/delivery/control/circuit-breaker.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { GroupCommit } from '../../../src/delivery/queue/group-commit.ts';
import type { ClaimedDelivery } from '../../../src/delivery/queue/outbox.ts';
import { type Clock, HOUR } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { deliveriesOf } from '../fixture.ts';

const RECIPIENTS = 75;
// No domain gets as many as pause it alone.
const EMAILS = Array.from({ length: RECIPIENTS }, (_, n) => `subscriber${n}@domain${n % 7}.example`);

interface Outcomes {
  /** The recipients that are accepted; all others are refused. */
  accepted: number[];
  /** The process that submits to each recipient. */
  processes: number[];
}

const outcomes = fc.record<Outcomes>({
  accepted: fc.uniqueArray(fc.nat(RECIPIENTS - 1), { maxLength: 3 }),
  processes: fc.array(fc.nat(1), { minLength: RECIPIENTS, maxLength: RECIPIENTS }),
});

/** After how many outcomes the edition must pause; null if never. */
function expectedPause({ accepted }: Outcomes): number | null {
  let inARow = 0;
  let isAnyAccepted = false;
  for (let n = 0; n < RECIPIENTS; n++) {
    if (accepted.includes(n)) {
      isAnyAccepted = true;
      inARow = 0;
    } else {
      inARow += 1;
      if (inARow === (isAnyAccepted ? 50 : 20)) return n + 1;
    }
  }
  return null;
}

/** Claims all deliveries of the edition, as if nothing had happened before. */
async function claimAll(store: Store, clock: Clock): Promise<{ deliveries: ClaimedDelivery[]; commit: GroupCommit }> {
  await store.db.deleteFrom('edition_refusals').execute();
  await store.db.updateTable('editions').set({ delivery_state: 'delivering' }).execute();
  const fresh = { state: 'pending', attempts: 0, due_at: NOW, lease_until: null, reply: null, reason: null } as const;
  await store.db.updateTable('deliveries').set(fresh).execute();
  const options = { now: clock(), limit: RECIPIENTS, leaseMs: HOUR, uncertain: 'retry' as const, rateLimiter: null };
  const { deliveries } = await claimDeliveries(store, options);
  expect(deliveries).toHaveLength(RECIPIENTS);
  const commit = new GroupCommit(store, clock);
  await Promise.all(deliveries.map((delivery) => commit.mark(delivery)));
  return { deliveries, commit };
}

const FAILED = { kind: 'failed', reply: '550 no', reason: 'no' } as const;

/** Records the outcomes in order. @returns the number of outcomes after which the edition was paused, or null */
async function pauseAfter(store: Store, { accepted, processes }: Outcomes): Promise<number | null> {
  let now = NOW;
  const clock = () => now;
  const { deliveries, commit } = await claimAll(store, clock);
  const breakers = [0, 1].map(() => new CircuitBreaker(store, clock, new BackOffState(store, 'server', clock)));
  for (const [n, delivery] of deliveries.entries()) {
    now += 1;
    const breaker = breakers[processes[n] as number] as CircuitBreaker;
    if (accepted.includes(n)) {
      await commit.record(delivery, { kind: 'submitted', reply: '250 ok' }, breaker.accepted(delivery));
      continue;
    }
    await commit.record(delivery, FAILED, breaker.refused(delivery, 'permanent'));
    const { paused } = await breaker.decide(delivery, 'no');
    if (paused !== null) return n + 1;
  }
  return null;
}

describe('the circuit breaker of two processes', () => {
  forBothDatabases((open, dialect) => {
    it('pauses with the refusal that reaches a limit, neither earlier nor later, and fails none of them', async () => {
      const store = await open();
      await queueEdition(store, EMAILS);
      const seen = new Set<string>();
      const check = async (given: Outcomes): Promise<void> => {
        const expected = expectedPause(given);
        expect(await pauseAfter(store, given)).toBe(expected);
        seen.add(expected === null ? 'never' : expected === 20 ? 'first' : 'later');
        const failed = (await deliveriesOf(store)).filter(({ state }) => state === 'failed').length;
        const afterLast =
          expected === null ? 0 : expected - 1 - Math.max(-1, ...given.accepted.filter((n) => n < expected));
        const refused = (expected ?? RECIPIENTS) - given.accepted.filter((n) => n < (expected ?? RECIPIENTS)).length;
        expect(failed).toBe(refused - afterLast);
      };
      const turns = Array.from({ length: RECIPIENTS }, (_, n) => n % 2);
      const examples: [Outcomes][] = [[3, 30, 60], [3], []].map((accepted) => [{ accepted, processes: turns }]);
      await fc.assert(fc.asyncProperty(outcomes, check), { numRuns: 8, examples });
      expect([...seen].sort()).toEqual(['first', 'later', 'never']);
    });

    // The transactions of SQLite do not overlap.
    if (dialect === 'sqlite') return;
    it('takes back a refusal that is recorded while the other one pauses', async () => {
      const store = await open();
      await queueEdition(store, EMAILS);
      const clock = () => NOW;
      const breakerOn = (db: Db) =>
        new CircuitBreaker({ db, reports: store.reports }, clock, new BackOffState({ db }, 'server', clock));
      for (let query = 1; query <= 6; query++) {
        const { deliveries, commit } = await claimAll(store, clock);
        const first = breakerOn(store.db);
        const late = deliveries[20] as ClaimedDelivery;
        const pause = async (): Promise<void> => {
          // The transaction that pauses began before the late refusal was recorded, and does not see it.
          const table = store.db.deleteFrom('edition_refusals').where('subscriber_id', '=', late.subscriberId);
          const unseen = await table.returningAll().execute();
          expect((await first.decide(deliveries[19] as ClaimedDelivery, 'no')).takenBack).toHaveLength(20);
          await store.db.insertInto('edition_refusals').values(unseen).execute();
        };
        let queries = 0;
        const db = store.db.withPlugin({
          transformQuery: ({ node }) => node,
          async transformResult({ result }) {
            queries += 1;
            if (queries === query) await pause();
            return result;
          },
        });
        const second = breakerOn(db);
        for (const delivery of deliveries.slice(0, 20)) {
          await commit.record(delivery, FAILED, first.refused(delivery, 'permanent'));
        }
        await commit.record(late, FAILED, second.refused(late, 'permanent'));
        const { takenBack } = await second.decide(late, 'no');
        expect(takenBack.map(({ subscriber_id }) => subscriber_id)).toEqual([late.subscriberId]);
        expect(queries).toBeGreaterThan(query);
        expect((await deliveriesOf(store)).filter(({ state }) => state === 'failed')).toEqual([]);
      }
    });
  });
});
