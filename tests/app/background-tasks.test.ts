import { afterEach, expect, it, vi } from 'vitest';
import { queueEdition } from '../../scripts/test-edition.ts';
import { startScheduling, watchClock } from '../../src/app/background-tasks.ts';
import type { Stoppable } from '../../src/lib/repeat.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { deliveriesOf } from '../delivery/fixture.ts';
import { openMigrated } from '../support/databases.ts';
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
