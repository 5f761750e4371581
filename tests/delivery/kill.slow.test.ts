import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findFaults, runKills } from '../../scripts/kill-run.ts';
import { newPostgresUrl } from '../support/databases.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function sqliteFile(): { path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-kill-'));
  folders.push(folder);
  return { path: join(folder, 'daywire.db') };
}

// `npm run kill-test` is the long version.
describe('killed delivering processes', () => {
  it.each([
    ['SQLite', 1],
    ['PostgreSQL', 2],
  ] as const)(
    'leave no recipient without a copy, and repeat at most one message per connection (%s, %d at once)',
    { timeout: 120_000 },
    async (database, workers) => {
      const store = database === 'SQLite' ? sqliteFile() : { path: '', databaseUrl: await newPostgresUrl('empty') };
      const figures = await runKills({ store, deliveries: 300, kills: 3, workers, connections: 5 });
      expect(figures).toMatchObject({ kills: 3, withoutCopy: 0, otherMessageIds: 0, otherBytes: 0, notSubmitted: 0 });
      expect(findFaults(figures)).toEqual([]);
    },
  );
});
