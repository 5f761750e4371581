import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findFaults, type KillFigures, runKills } from '../../scripts/kill-run.ts';
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
      expect(figures).toMatchObject({ kills: 3, withoutCopy: 0, otherMessageIds: 0, notSubmitted: 0 });
      expect(findFaults(figures)).toEqual([]);
    },
  );

  it('are reported by findFaults for missing copies, too many copies and other Message-IDs', () => {
    const good: KillFigures = {
      deliveries: 10,
      kills: 2,
      connections: 5,
      extras: 10,
      bound: 10,
      withoutCopy: 0,
      otherMessageIds: 0,
      notSubmitted: 0,
      seconds: 1,
    };
    expect(findFaults(good)).toEqual([]);
    expect(findFaults({ ...good, withoutCopy: 1 })).toEqual(['1 recipients have no copy']);
    expect(findFaults({ ...good, extras: 11 })).toEqual(['11 extra copies are more than 10']);
    expect(findFaults({ ...good, otherMessageIds: 1 })).toEqual(['1 extra copies have another Message-ID']);
    expect(findFaults({ ...good, notSubmitted: 1 })).toEqual(['1 deliveries did not end as submitted']);
  });
});
