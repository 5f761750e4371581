import { describe, expect, it } from 'vitest';
import { inTransaction } from '../../../src/core/store/transaction.ts';
import { forEachDatabase } from '../../support/databases.ts';

const DEADLOCK = Object.assign(new Error('deadlock detected'), { code: '40P01' });

describe('inTransaction', () => {
  forEachDatabase((open) => {
    it('retries the whole transaction after a deadlock', async () => {
      const { db } = await open();
      let attempts = 0;
      const result = await inTransaction(db, async (tx) => {
        attempts += 1;
        await tx
          .insertInto('meta')
          .values({ key: `attempt ${attempts}`, value: '' })
          .execute();
        if (attempts < 3) throw DEADLOCK;
        return 'done';
      });
      expect(result).toBe('done');
      const rows = await db.selectFrom('meta').select('key').where('key', 'like', 'attempt %').execute();
      expect(rows).toEqual([{ key: 'attempt 3' }]);
    });

    it('does not retry after other errors, or after a third deadlock', async () => {
      const { db } = await open();
      let attempts = 0;
      const fail = (error: Error) =>
        inTransaction(db, async () => {
          attempts += 1;
          throw error;
        });
      await expect(fail(new Error('disk full'))).rejects.toThrow('disk full');
      expect(attempts).toBe(1);
      await expect(fail(DEADLOCK)).rejects.toThrow('deadlock');
      expect(attempts).toBe(4);
    });

    it('joins an open transaction, and is rolled back with it', async () => {
      const { db } = await open();
      const outer = inTransaction(db, async (tx) => {
        await inTransaction(tx, (inner) => inner.insertInto('meta').values({ key: 'inner', value: '' }).execute());
        throw new Error('rolled back');
      });
      await expect(outer).rejects.toThrow('rolled back');
      expect(await db.selectFrom('meta').selectAll().where('key', '=', 'inner').execute()).toEqual([]);
    });
  });
});
