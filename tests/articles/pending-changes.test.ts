import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import {
  countDueChanges,
  deletePublishedChanges,
  readDueChanges,
  recordPendingChanges,
} from '../../src/articles/pending-changes.ts';
import type { Db, Tx } from '../../src/core/store/store.ts';
import { HOUR } from '../../src/lib/time.ts';
import { article, saveAll } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { forBothDatabases } from '../support/databases.ts';

forBothDatabases((open) => {
  const withArticles = async (...articles: Article[]) => {
    const store = await open();
    await saveAll(store, articles);
    return store;
  };

  /** Until another transaction waits for a lock. */
  async function waitingFor(db: Db): Promise<void> {
    for (;;) {
      const { rows } = await sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
      if (rows.length > 0) return;
    }
  }

  describe('pending changes', () => {
    it('are due at once, at the end of an embargo, or never for a draft', async () => {
      const { db } = await withArticles(
        article('a', { publishedAt: NOW - HOUR }),
        article('embargoed', { publishedAt: NOW + HOUR, status: { state: 'scheduled', until: NOW + HOUR } }),
        article('draft', { status: { state: 'draft' } }),
      );
      expect(await countDueChanges(db, NOW - 1)).toBeNull();
      expect(await countDueChanges(db, NOW)).toEqual({ count: 1, oldestDueAt: NOW });
      expect(await countDueChanges(db, NOW + HOUR)).toEqual({ count: 2, oldestDueAt: NOW });
    });

    it('are deleted once published, also those of an embargo that was recorded long before', async () => {
      const { db } = await withArticles(
        article('a'),
        article('b', { publishedAt: NOW + HOUR }),
        article('c', { publishedAt: NOW + 2 * HOUR }),
      );
      await deletePublishedChanges(db, await readDueChanges(db, NOW + HOUR + 1, { limit: 100 }));
      expect(await countDueChanges(db, NOW + HOUR)).toBeNull();
      expect(await countDueChanges(db, NOW + 2 * HOUR)).toEqual({ count: 1, oldestDueAt: NOW + 2 * HOUR });
    });

    it('stay if made during a publish, in the same millisecond or by a clock that is behind', async () => {
      for (const now of [NOW, NOW - HOUR, NOW + HOUR]) {
        const store = await withArticles(article('a'), article('b'));
        const changes = await readDueChanges(store.db, NOW + 1, { limit: 100 });
        await saveAll(store, [article('a')], now);
        await saveAll(store, [article('new')], now);
        await deletePublishedChanges(store.db, changes);
        const left = await readDueChanges(store.db, NOW + HOUR + 1, { limit: 100 });
        expect(left.map((change) => change.articleId).sort()).toEqual(['a', 'new']);
      }
    });

    it('stay if due at the instant of a publish, whose windows end before it', async () => {
      const { db } = await withArticles(article('a'));
      await deletePublishedChanges(db, await readDueChanges(db, NOW, { limit: 100 }));
      expect(await countDueChanges(db, NOW)).toEqual({ count: 1, oldestDueAt: NOW });
    });

    it('are read newest first, in steps, and from an instant on', async () => {
      const { db } = await open();
      const changes = [3, 1, 2, 2, 5].map((at, n) => ({ articleId: `a${n}`, dueAt: NOW + at }));
      await db.transaction().execute((tx) => recordPendingChanges(tx, changes, NOW));
      const idsOf = (read: { articleId: string }[]): string[] => read.map(({ articleId }) => articleId);
      const first = await readDueChanges(db, NOW + 5, { limit: 2 });
      expect(idsOf(first)).toEqual(['a0', 'a3']);
      expect(idsOf(await readDueChanges(db, NOW + 5, { limit: 9, after: first.at(-1) }))).toEqual(['a2', 'a1']);
      expect(idsOf(await readDueChanges(db, NOW + 9, { limit: 9, since: NOW + 3 }))).toEqual(['a4', 'a0']);
    });

    it('stay if a change is committed while they are deleted', async () => {
      const store = await open();
      const record = (tx: Tx, at: number) => recordPendingChanges(tx, [{ articleId: 'a', dueAt: NOW }], at);
      await store.db.transaction().execute((tx) => record(tx, NOW));
      const read = await readDueChanges(store.db, NOW + 1, { limit: 9 });
      const gate = Promise.withResolvers<void>();
      const change = store.db.transaction().execute(async (tx) => {
        await record(tx, NOW + 1);
        gate.resolve();
        // The deletion waits for this row meanwhile, on PostgreSQL.
        if (store.dialect === 'postgres') await waitingFor(store.db);
      });
      await gate.promise;
      await Promise.all([deletePublishedChanges(store.db, read), change]);
      expect(await readDueChanges(store.db, NOW + 2, { limit: 9 })).toHaveLength(1);
    });

    it('are deleted by the thousand', async () => {
      const { db } = await open();
      const changes = Array.from({ length: 1_300 }, (_, n) => ({ articleId: `a${n}`, dueAt: NOW }));
      await db.transaction().execute(async (tx) => {
        await recordPendingChanges(tx, changes, NOW);
        await recordPendingChanges(tx, [], NOW);
      });
      const first = await readDueChanges(db, NOW + 1, { limit: 1_250 });
      expect(first).toHaveLength(1_250);
      await deletePublishedChanges(db, first);
      expect(await countDueChanges(db, NOW)).toMatchObject({ count: 50 });
      await deletePublishedChanges(db, await readDueChanges(db, NOW + 1, { limit: 1_250 }));
      expect(await countDueChanges(db, NOW)).toBeNull();
    });
  });
});
