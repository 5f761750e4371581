import { expect, it, vi } from 'vitest';
import { startScheduling } from '../../src/app/background-tasks.ts';
import type { Stoppable } from '../../src/lib/repeat.ts';
import { openMigrated } from '../support/databases.ts';
import { openTestApp } from '../support/test-app.ts';

it('hands over the tasks that run when a later one cannot start, so that they can be stopped', async () => {
  const store = await openMigrated();
  const app = openTestApp(store);
  vi.spyOn(app.keys, 'signingSecrets').mockRejectedValue(new Error('the secret is gone'));
  const tasks: Stoppable[] = [];
  await expect(startScheduling(app, tasks, new AbortController().signal)).rejects.toThrow('the secret is gone');
  expect(tasks.length).toBeGreaterThan(1);
  await Promise.all(tasks.map((task) => task.stop()));
});
