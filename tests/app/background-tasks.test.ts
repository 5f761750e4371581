import { afterEach, expect, it, vi } from 'vitest';
import { queueEdition } from '../../scripts/test-edition.ts';
import { startReportingOutages, startScheduling, watchClock } from '../../src/app/background-tasks.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { Stoppable } from '../../src/lib/repeat.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { deliveriesOf } from '../delivery/fixture.ts';
import { forBothDatabases, openMigrated } from '../support/databases.ts';
import { openTestApp } from '../support/test-app.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('makes deliveries due again at the start and within a second after the clock was set back', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const store = await openMigrated();
  const app = openTestApp(store);
  const warn = vi.spyOn(app.log, 'warn');
  await queueEdition(store, 2);
  const closedAt = (await deliveriesOf(store))[0]!.changed_at;
  const dueAt = async () => (await deliveriesOf(store)).map((row) => row.due_at - closedAt);
  app.now = closedAt - 10 * MINUTE;
  const watch = await watchClock(app);
  expect(await dueAt()).toEqual([-10 * MINUTE, -10 * MINUTE]);
  const dueNow = () => store.db.updateTable('deliveries').set({ due_at: app.now, changed_at: app.now }).execute();
  await dueNow();
  app.now -= 10 * MINUTE;
  await vi.advanceTimersByTimeAsync(SECOND);
  expect(await dueAt()).toEqual([-20 * MINUTE, -20 * MINUTE]);
  // As little as the clocks of two machines may differ: but here it was noticed.
  await dueNow();
  app.now -= MINUTE / 2;
  await vi.advanceTimersByTimeAsync(SECOND);
  await watch.stop();
  expect(await dueAt()).toEqual([-20.5 * MINUTE, -20.5 * MINUTE]);
  expect(warn.mock.calls.map(([data]) => data)).toEqual(Array(3).fill({ rows: 2 }));
});

it('hands over the tasks that run when a later one cannot start, so that they can be stopped', async () => {
  const store = await openMigrated();
  const app = openTestApp(store);
  vi.spyOn(app.keys, 'signingSecrets').mockRejectedValue(new Error('the secret is gone'));
  const tasks: Stoppable[] = [];
  await expect(startScheduling(app, tasks, new AbortController().signal)).rejects.toThrow('the secret is gone');
  expect(tasks.length).toBeGreaterThan(1);
  await Promise.all(tasks.map((task) => task.stop()));
});

forBothDatabases((open) => {
  it('reports an outage of the database once, although every process has noticed it', async () => {
    const store = await open();
    const app = openTestApp(store);
    const later = { ...app, clock: () => app.now + 20 * SECOND, store: { ...store, outages: [] as Store['outages'] } };
    store.outages.push({ reason: 'connection refused', lasted: 15 * MINUTE });
    later.store.outages.push({ reason: 'connection reset', lasted: 15 * MINUTE + 20 * SECOND });
    const report = async (one: typeof app): Promise<void> => {
      const task = startReportingOutages(one);
      await expect.poll(() => one.store.outages, { timeout: 5000 }).toEqual([]);
      await task.stop();
    };
    await report(app);
    await report(later);
    const alerts = () => store.db.selectFrom('alerts').select(['kind', 'message', 'last_at', 'resolved_at']).execute();
    const message = 'The database was away for 15 min: connection refused. It is back, and all work goes on.';
    expect(await alerts()).toEqual([{ kind: 'database', message, last_at: app.now, resolved_at: app.now }]);
    // The next one is another.
    app.now += MINUTE;
    store.outages.push({ reason: 'connection refused', lasted: 2 * SECOND });
    await report(app);
    expect(await alerts()).toEqual([expect.objectContaining({ last_at: app.now, resolved_at: app.now })]);
  });
});
