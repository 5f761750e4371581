import { expect, it } from 'vitest';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { listSuppressions } from '../../../src/audience/search/suppression-list.ts';
import { hashAddress, suppressAddress, suppressByOperator } from '../../../src/audience/suppression.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { addConfirmed, NOW } from '../fixtures.ts';

forEachDatabase((open) => {
  it('lists the newest first, and says whose an entry is while the subscriber is stored', async () => {
    const store = await open();
    const ada = await addConfirmed(store, 'Ada@example.com');
    const grace = await addConfirmed(store, 'grace@example.com');
    await suppressAddress(store.db, SECRETS, ada, 'hard-bounce', { channel: 'bounce' }, NOW);
    await suppressByOperator(store.db, SECRETS, 'nobody@example.com', NOW + 1);
    await eraseSubscriber(store.db, SECRETS, grace, NOW + 2);
    const { entries, next } = await listSuppressions(store.db, SECRETS, { after: null, limit: 10 });
    expect(next).toBeNull();
    expect(entries.map(({ reason, at, subscriber }) => [reason, at - NOW, subscriber])).toEqual([
      ['erased', 2, null],
      ['operator', 1, null],
      ['hard-bounce', 0, { id: ada, email: 'Ada@example.com' }],
    ]);
    expect(entries[2]?.hash).toBe(hashAddress(SECRETS[0], 'ada@example.com').slice(0, 12));
  });

  it('finds the owner of an entry that was hashed with the secret before', async () => {
    const store = await open();
    const ada = await addConfirmed(store);
    await suppressAddress(store.db, ['an earlier secret'], ada, 'complaint', { channel: 'complaint' }, NOW);
    const list = (secrets: [string, ...string[]]) => listSuppressions(store.db, secrets, { after: null, limit: 9 });
    expect((await list([SECRETS[0], 'an earlier secret'])).entries[0]?.subscriber?.id).toBe(ada);
    expect((await list([SECRETS[0]])).entries[0]?.subscriber).toBeNull();
  });

  it('reads every entry once, page by page, also those of one millisecond', async () => {
    const store = await open();
    for (let n = 0; n < 5; n++) await suppressByOperator(store.db, SECRETS, `n${n}@example.com`, NOW + (n > 3 ? 1 : 0));
    const hashes: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 3; page++) {
      const list = await listSuppressions(store.db, SECRETS, { after, limit: 2 });
      hashes.push(...list.entries.map(({ hash }) => hash));
      after = list.next;
    }
    expect(after).toBeNull();
    expect(new Set(hashes).size).toBe(5);
    const first = await listSuppressions(store.db, SECRETS, { after: "1'; drop table", limit: 5 });
    expect(first.entries).toHaveLength(5);
  });
});
