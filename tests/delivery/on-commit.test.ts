import { expect, it } from 'vitest';
import { queueEdition } from '../../scripts/test-edition.ts';
import { DELIVERY_HELD, writeMeta } from '../../src/core/store/meta.ts';
import type { InTransaction } from '../../src/core/store/store.ts';
import { pauseEdition } from '../../src/delivery/control/edition-control.ts';
import { cancel, release, resume, retry, settle } from '../../src/delivery/control/operator-control.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';
import { setDeliveries } from './fixture.ts';

interface Act {
  name: string;
  /** Brings the edition into a state in which the act changes something. */
  prepare(app: TestApp, edition: Edition): Promise<unknown>;
  act(app: TestApp, edition: Edition, onCommit: InTransaction): Promise<unknown>;
}

interface Edition {
  id: number;
  newsletter: string;
  slot: string;
  subscriberId: number;
}

const settable = (app: TestApp) => setDeliveries(app.store, { state: 'submitting', lease_until: app.now });

const ACTS: Act[] = [
  {
    name: 'pause',
    prepare: async () => {},
    act: ({ store }, { id }, onCommit) => pauseEdition(store.db, id, 'a mistake', onCommit),
  },
  {
    name: 'resume of an edition',
    prepare: ({ store }, { id }) => pauseEdition(store.db, id, 'a mistake'),
    act: (app, edition, onCommit) => resume(app, edition, { expire: true, onCommit }),
  },
  {
    name: 'cancellation',
    prepare: async () => {},
    act: (app, { id }, onCommit) => cancel(app, id, 'the wrong list', onCommit),
  },
  {
    name: 'retry',
    prepare: ({ store }) => setDeliveries(store, { state: 'failed', reason: 'refused' }),
    act: (app, edition, onCommit) => retry(app, edition, { kinds: ['failed'], isDryRun: false, onCommit }),
  },
  {
    name: 'settling of one',
    prepare: settable,
    act: (app, edition, onCommit) =>
      settle(app, { editionId: edition.id, subscriberId: edition.subscriberId }, 'submitted', onCommit),
  },
  {
    name: 'settling of all',
    prepare: settable,
    act: (app, edition, onCommit) => settle(app, { editionId: edition.id }, 'submitted', onCommit),
  },
  {
    name: 'release of the queue',
    prepare: ({ store }) => writeMeta(store.db, DELIVERY_HELD, 'restored'),
    act: (app, _edition, onCommit) => release(app, onCommit),
  },
];

forEachDatabase((open) => {
  it.each(ACTS)(
    'commits a $name together with what its caller adds, and only where it changes something',
    async (one) => {
      const app = openTestApp(await open());
      const { editionId, subscriberIds } = await queueEdition(app.store, 2);
      const [subscriberId = 0] = subscriberIds;
      const edition = { id: editionId, newsletter: 'daily-roundup', slot: '2026-11-24', subscriberId };
      await one.prepare(app, edition);
      const before = await stateOf(app);
      const failing = one.act(app, edition, () => Promise.reject(new Error('the log is full')));
      await expect(failing).rejects.toThrow('the log is full');
      expect(await stateOf(app)).toEqual(before);
      const added: boolean[] = [];
      const onCommit: InTransaction = async (tx) => {
        added.push(tx.isTransaction);
      };
      await one.act(app, edition, onCommit);
      expect(added).toEqual([true]);
      expect(await stateOf(app)).not.toEqual(before);
      await one.act(app, edition, onCommit);
      expect(added).toEqual([true]);
    },
  );
});

/** All that the acts change. */
async function stateOf({ store }: TestApp) {
  const columns = ['state', 'fence', 'reason', 'reply', 'due_at', 'expires_at', 'lease_until'] as const;
  return {
    deliveries: await store.db.selectFrom('deliveries').select(columns).orderBy('subscriber_id').execute(),
    editions: await store.db.selectFrom('editions').select(['delivery_state', 'delivery_reason']).execute(),
    meta: await store.db.selectFrom('meta').selectAll().orderBy('key').execute(),
  };
}
