import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../scripts/test-edition.ts';
import { listUnfinishedEditions } from '../../src/editions/queries.ts';
import type { EditionDeliveryState } from '../../src/store/tables.ts';
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
