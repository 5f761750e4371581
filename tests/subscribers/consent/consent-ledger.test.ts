import { expect, it } from 'vitest';
import { inTransaction } from '../../../src/subscribers/consent/consent-ledger.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { NOW } from '../readers.ts';

const DEADLOCK = Object.assign(new Error('deadlock detected'), { code: '40P01' });

forEachDatabase((open) => {
  it('a change that meets another head on is made again, from its beginning', async () => {
    const { db } = await open();
    let tries = 0;
    const done = await inTransaction(db, async (tx) => {
      tries += 1;
      const values = { email: `${tries}@example.com`, email_key: `${tries}@example.com`, created_at: NOW };
      await tx.insertInto('subscribers').values(values).execute();
      if (tries < 3) throw DEADLOCK;
      return 'done';
    });
    expect(done).toBe('done');
    expect(await db.selectFrom('subscribers').select('email').execute()).toEqual([{ email: '3@example.com' }]);
  });

  it('a change that fails for another reason, or again and again, is not', async () => {
    const { db } = await open();
    let tries = 0;
    const fail = (error: Error) =>
      inTransaction(db, async () => {
        tries += 1;
        throw error;
      });
    await expect(fail(new Error('disk full'))).rejects.toThrow('disk full');
    expect(tries).toBe(1);
    await expect(fail(DEADLOCK)).rejects.toThrow('deadlock');
    expect(tries).toBe(4);
  });

  it('a change within a transaction is undone with it', async () => {
    const { db } = await open();
    const outer = inTransaction(db, async (tx) => {
      await inTransaction(tx, (same) =>
        same.insertInto('suppressions').values({ address_hash: '0', reason: 'erased', at: NOW }).execute(),
      );
      throw new Error('after all');
    });
    await expect(outer).rejects.toThrow('after all');
    expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([]);
  });
});
