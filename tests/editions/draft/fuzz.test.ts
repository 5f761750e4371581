import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzDraft } from '../../../scripts/fuzz/draft-editors.ts';
import { fuzzStoredDraft } from '../../../scripts/fuzz/draft-stores.ts';
import { openStore } from '../../../src/core/store/store.ts';
import { forBothDatabases, newPostgresUrl, openSqliteFile } from '../../support/databases.ts';

const SLOT = { label: '2026-11-24', slotAt: Date.UTC(2026, 10, 23, 23, 30) };

describe('two editors with random commands', () => {
  it('keep every rule of a draft: its log, its refusals, commands in either order, and undoing everything', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(fuzzDraft({ commands: 40, seed }).changed).toBeGreaterThan(5);
      }),
      { numRuns: 15 },
    );
  });

  forBothDatabases((_, dialect) => {
    it('lose no command to each other in two stores on one database', async () => {
      const options = dialect === 'postgres' ? { databaseUrl: await newPostgresUrl(), path: '' } : null;
      const file = options === null ? await openSqliteFile() : null;
      const path = file === null ? '' : file.store.location;
      const [one, other] = [
        file?.store ?? (await openStore(options ?? { path })),
        await openStore(options ?? { path }),
      ];
      try {
        expect(await fuzzStoredDraft([one, other], { slot: SLOT, commands: 40, seed: 13 })).toBeGreaterThan(10);
      } finally {
        await other.close();
        await (file === null ? one.close() : file.remove());
      }
    });
  });
});
