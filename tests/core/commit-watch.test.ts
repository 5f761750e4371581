import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CommitWatch } from '../../src/core/commit-watch.ts';
import { writeMeta } from '../../src/core/store/meta.ts';
import { inTransaction, openStore, type Store } from '../../src/core/store/store.ts';
import { newPostgresUrl, openMigrated, openSqliteFile } from '../support/databases.ts';
import { until } from '../support/until.ts';

describe('a watch for commits', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A watch of a version that the test sets, with the number of looks. */
  function watched() {
    const state = { version: 1 as number | Error, looks: 0, calls: 0 };
    const watch = new CommitWatch(async () => {
      state.looks++;
      if (state.version instanceof Error) throw state.version;
      return state.version;
    });
    return { state, watch };
  }

  it('looks four times a second while anybody listens, and calls for each new version', async () => {
    const { state, watch } = watched();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.looks).toBe(0);
    const end = watch.subscribe(() => state.calls++);
    await vi.advanceTimersByTimeAsync(999);
    expect(state).toMatchObject({ looks: 4, calls: 1 });
    state.version = 2;
    await vi.advanceTimersByTimeAsync(250);
    expect(state).toMatchObject({ looks: 5, calls: 2 });
    end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.looks).toBe(5);
  });

  it('looks 20 ms after the first of many statements of this process', async () => {
    const { state, watch } = watched();
    watch.notice();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(state.looks).toBe(0);
    onTestFinished(watch.subscribe(() => state.calls++));
    await vi.advanceTimersByTimeAsync(1);
    state.version = 2;
    for (let count = 0; count < 20; count++) {
      watch.notice();
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(state).toMatchObject({ looks: 2, calls: 2 });
  });

  it('goes on while the store does not answer, and calls once it does', async () => {
    const { state, watch } = watched();
    onTestFinished(watch.subscribe(() => state.calls++));
    await vi.advanceTimersByTimeAsync(1);
    state.version = new Error('away');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(state.calls).toBe(1);
    state.version = 2;
    await vi.advanceTimersByTimeAsync(250);
    expect(state.calls).toBe(2);
  });
});

describe.each([
  ['PostgreSQL', async () => newPostgresUrl().then((databaseUrl) => twice({ databaseUrl, path: '' }))],
  ['SQLite in a file', async () => twice({ path: (await openSqliteFile()).store.location })],
  ['SQLite in memory', async () => openMigrated().then((store) => [store, store] as const)],
])('%s', (_, open) => {
  it('calls after a commit of this process and of another one, and not without a commit', async () => {
    const [store, other] = await open();
    let calls = 0;
    onTestFinished(store.commits.subscribe(() => calls++));
    await until(() => calls === 1);
    for (const [index, from] of [store, other, store].entries()) {
      await inTransaction(from.db, (tx) => writeMeta(tx, 'name', `${index}`));
      const before = calls;
      await until(() => calls > before);
    }
  });
});

/** Two connections to one database, as of two processes, until the end of the test. */
async function twice(at: Parameters<typeof openStore>[0]): Promise<readonly [Store, Store]> {
  const stores = [await openStore(at), await openStore(at)] as const;
  for (const store of stores) onTestFinished(() => store.close());
  return stores;
}
