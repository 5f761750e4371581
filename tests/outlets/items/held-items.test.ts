import { describe, expect, it } from 'vitest';
import { raiseAlert } from '../../../src/core/alerts/alerts.ts';
import type { Db } from '../../../src/core/store/store.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { decideHeld } from '../../../src/outlets/items/held-items.ts';
import { heldAlert } from '../../../src/sources/polling/source-alerts.ts';
import { openAlerts } from '../../support/alerts.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { addSource } from '../../support/sources.ts';

const SOURCE = { id: 'outlet' };

/** A source that is held, with items reported this many hours ago; null: without a date, seen an hour ago. */
async function hold(db: Db, hours: (number | null)[]): Promise<void> {
  await addSource(db, SOURCE.id, { state: 'held', state_since: NOW - HOUR });
  for (const [index, ago] of hours.entries()) {
    const url = `https://outlet.example/${index}`;
    await db
      .insertInto('outlet_items')
      .values({
        ...{ source: SOURCE.id, outlet: 'The Outlet', title: `Report ${index}`, url, canonical_url: url },
        ...{ first_seen_at: NOW - HOUR, seen_at: NOW - HOUR, state: 'held' },
        published_at: ago === null ? null : NOW - ago * HOUR,
      })
      .execute();
  }
  await raiseAlert(db, { ...heldAlert(SOURCE.id), message: 'items wait' }, NOW - HOUR);
}

const states = async (db: Db) =>
  (await db.selectFrom('outlet_items').select('state').orderBy('id').execute()).map(({ state }) => state);

forEachDatabase((open) => {
  describe('decideHeld', () => {
    it('opens what was reported within the window, and resolves the alert', async () => {
      const store = await open();
      await hold(store.db, [1, 25, 27, 500, null]);
      const app = { store, config: sampleConfig(), clock: () => NOW };
      expect(await decideHeld(app, SOURCE, 'accept')).toEqual({ open: 3, old: 2, ignored: 0 });
      expect(await states(store.db)).toEqual(['open', 'open', 'old', 'old', 'open']);
      expect(await openAlerts(store.db)).toEqual([]);
      const { state } = await store.db.selectFrom('sources').select('state').executeTakeFirstOrThrow();
      expect(state).toBe('active');
      expect(await decideHeld(app, SOURCE, 'ignore')).toEqual({ open: 0, old: 0, ignored: 0 });
    });

    it('ignores all of them for good', async () => {
      const store = await open();
      await hold(store.db, [1, 27]);
      const app = { store, config: sampleConfig(), clock: () => NOW };
      expect(await decideHeld(app, SOURCE, 'ignore')).toEqual({ open: 0, old: 0, ignored: 2 });
      expect(await decideHeld(app, SOURCE, 'accept')).toEqual({ open: 0, old: 0, ignored: 0 });
      expect(await states(store.db)).toEqual(['ignored', 'ignored']);
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it('does what its caller adds in the same transaction, and only if something was held', async () => {
      const store = await open();
      await hold(store.db, [1]);
      const app = { store, config: sampleConfig(), clock: () => NOW };
      const refuse = () => Promise.reject(new Error('the audit log is full'));
      await expect(decideHeld(app, SOURCE, 'ignore', refuse)).rejects.toThrow('audit log');
      expect(await states(store.db)).toEqual(['held']);
      expect(await openAlerts(store.db)).toHaveLength(1);
      let calls = 0;
      const count = async () => {
        calls += 1;
      };
      await decideHeld(app, SOURCE, 'ignore', count);
      await decideHeld(app, SOURCE, 'ignore', count);
      expect(calls).toBe(1);
    });
  });
});
