import { expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { findEditionNamed } from '../../../src/editions/cli/edition-command.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';

it('finds the newest revision of an edition by its name, and another one by its number', async () => {
  const store = await openMigrated();
  try {
    const { editionId: first } = await queueEdition(store, 0);
    const { editionId: second } = await queueEdition(store, 0, { revision: 2, articleId: 'unused' });
    await store.db.updateTable('editions').set({ superseded_by: second }).where('id', '=', first).execute();
    const idOf = async (name: string) => (await findEditionNamed(store.db, sampleConfig(), name))?.id ?? null;
    for (const name of ['daily-roundup/2026-11-24', '2026-11-24', 'daily-roundup/2026-11-24@2', '2026-11-24@2']) {
      expect(await idOf(name)).toBe(second);
    }
    for (const name of ['daily-roundup/2026-11-24@1', '2026-11-24@1']) expect(await idOf(name)).toBe(first);
    for (const name of ['2026-11-24@3', '2026-11-24@0', '2026-11-24@', '2026-11-24@1@1', '2026-11-24@1e0', '@1']) {
      expect(await idOf(name)).toBeNull();
    }
  } finally {
    await store.close();
  }
});
