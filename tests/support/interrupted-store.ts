import type { Store } from '../../src/core/store/store.ts';

/** A store that calls a function before each transaction. */
export function beforeTransactions(store: Store, before: () => Promise<void>): Store {
  const transaction: Store['db']['transaction'] = store.db.transaction.bind(store.db);
  const db = new Proxy(store.db, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (key !== 'transaction') return typeof value === 'function' ? value.bind(target) : value;
      return () => ({
        execute: async (body: Parameters<ReturnType<typeof transaction>['execute']>[0]) => {
          await before();
          return transaction().execute(body);
        },
      });
    },
  });
  return { ...store, db };
}
