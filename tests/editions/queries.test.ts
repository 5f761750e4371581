import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../scripts/test-edition.ts';
import type { EditionDeliveryState } from '../../src/core/store/tables/edition-tables.ts';
import {
  findEdition,
  findNewestEditions,
  firstClosedAt,
  lastEditions,
  listEditions,
  listRevisions,
  listUnfinishedEditions,
} from '../../src/editions/queries.ts';
import { forEachDatabase } from '../support/databases.ts';

describe('listUnfinishedEditions', () => {
  forEachDatabase((open) => {
    it('lists those under delivery and paused, newest first, and none that is over', async () => {
      const store = await open();
      expect(await listUnfinishedEditions(store.db)).toEqual([]);
      const states: EditionDeliveryState[] = ['paused', 'done', 'delivering', 'cancelled'];
      for (const [n, delivery_state] of states.entries()) {
        const slot = `2026-11-2${n}`;
        const changes = { slot, slotAt: n, number: n + 1, articleId: slot };
        const { editionId } = await queueEdition(store, 0, changes);
        await store.db.updateTable('editions').set({ delivery_state }).where('id', '=', editionId).execute();
      }
      const listed = (await listUnfinishedEditions(store.db)).map(({ slot }) => slot);
      expect(listed).toEqual(['2026-11-22', '2026-11-20']);
    });
  });
});

describe('revisions of an edition', () => {
  forEachDatabase((open) => {
    /** Number 1 with revisions 1 and 2, and number 2. */
    async function twoEditions() {
      const store = await open();
      const first = await queueEdition(store, 0, { slot: 'one', slotAt: 1, articleId: 'one', closedAt: 10 });
      const other = { slot: 'two', slotAt: 2, number: 2, articleId: 'two', closedAt: 20 };
      const second = await queueEdition(store, 0, other);
      const revision = { slot: 'one', slotAt: 1, revision: 2, articleId: 'unused', closedAt: 30 };
      const { editionId } = await queueEdition(store, 0, revision);
      await store.db
        .updateTable('editions')
        .set({ superseded_by: editionId, delivery_state: 'cancelled' })
        .where('id', '=', first.editionId)
        .execute();
      return { store, first: first.editionId, newest: editionId, second: second.editionId };
    }

    it('are one edition in lists, which show the newest one', async () => {
      const { store, newest, second } = await twoEditions();
      const ids = (editions: { id: number }[]): number[] => editions.map(({ id }) => id);
      expect(ids(await listEditions(store.db, null, 10))).toEqual([second, newest]);
      expect(ids(await listEditions(store.db, 'daily-roundup', 10))).toEqual([second, newest]);
      expect(ids(await listEditions(store.db, null, 1, 1))).toEqual([newest]);
      expect(ids(await listUnfinishedEditions(store.db))).toEqual([second, newest]);
      expect(ids(await lastEditions(store.db, 'daily-roundup', 3))).toEqual([second, newest]);
    });

    it('count once, and a new revision of an older edition is not the newest edition', async () => {
      const { store, second } = await twoEditions();
      expect(await findNewestEditions(store.db)).toEqual([
        { id: second, newsletter: 'daily-roundup', closedAt: 20, count: 2 },
      ]);
    });

    it('are found by number, the newest one by default', async () => {
      const { store, first, newest } = await twoEditions();
      expect(await findEdition(store.db, 'daily-roundup', 'one')).toMatchObject({ id: newest, revision: 2 });
      expect(await findEdition(store.db, 'daily-roundup', 'one', 1)).toMatchObject({ id: first, supersededBy: newest });
      expect(await findEdition(store.db, 'daily-roundup', 'one', 3)).toBeNull();
      expect((await listRevisions(store.db, 'daily-roundup', 'one')).map(({ id }) => id)).toEqual([newest, first]);
      expect(await firstClosedAt(store.db, { newsletter: 'daily-roundup', slot: 'one' })).toBe(10);
    });
  });
});
