import { expect, it } from 'vitest';
import { runEditionKills } from '../../scripts/drafts/kills.ts';
import { runRaces } from '../../scripts/drafts/races.ts';
import { newPostgresUrl } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it.each(['sqlite', 'postgres'] as const)(
  'sends an edition whole or not at all, whenever another process cancels its countdown (%s)',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const { closed, cancelled, faults } = await runRaces({ folder: temporaryFolder(), databaseUrl }, 20);
    expect(faults).toEqual([]);
    expect(closed + cancelled).toBe(20);
    expect(closed).toBeGreaterThan(0);
  },
  60_000,
);

it('makes one edition and one run, wherever between approval and close its process is killed', async () => {
  const { kills, faults } = await runEditionKills({ folder: temporaryFolder() }, 5);
  expect(faults).toEqual([]);
  expect(kills).toBe(5);
}, 120_000);
