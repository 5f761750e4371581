import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSampleNewsroom } from '../../../src/app/sample/newsroom.ts';
import { readableByOthers } from '../../../src/core/config/private-paths.ts';
import { backupStore } from '../../../src/core/store/backup/backup.ts';
import { migrate } from '../../../src/core/store/schema.ts';
import { openStore } from '../../../src/core/store/store.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { composeDraft } from '../../../src/editions/draft/compose-draft.ts';
import { findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { writePreviewFiles } from '../../../src/editions/preview.ts';
import { closeEdition } from '../../app/steps.ts';
import { newPostgresUrl } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openTestApp } from '../../support/test-app.ts';

/** Paths below a folder with their modes, those that belong to the user alone excepted. */
function openPaths(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  expect(paths.length).toBeGreaterThan(0);
  return ['.', ...paths]
    .map((path) => [path, statSync(join(folder, path)).mode & 0o777] as const)
    .filter(([, mode]) => (mode & 0o077) !== 0)
    .map(([path, mode]) => `${mode.toString(8)} ${path}`);
}

describe('files with personal data', () => {
  it('are readable by their owner alone, and so are the folders that daywire creates', async () => {
    const umask = process.umask(0);
    try {
      const folder = temporaryFolder();
      const store = await openStore({ path: join(folder, 'new/store/daywire.db') });
      await migrate(store);
      const app = openTestApp(store, { feeds: ['latest'], env: { DAYWIRE_SECRET: '' } });
      await app.keys.signingSecrets();
      await loadSampleNewsroom(store, app.config, { now: app.now });
      const [newsletter] = app.config.newsletters;
      const target = await findDraftTarget(app, newsletter as NonNullable<typeof newsletter>);
      const draft = await composeDraft(app, target);
      if (draft.kind === 'composed') writePreviewFiles(app, draft.composed);
      await closeEdition(app);
      expect((await deliverDue(app)).submitted).toBeGreaterThan(0);
      await backupStore(store, join(folder, 'new/backup.db'), app.now);
      expect(openPaths(join(folder, 'new'))).toEqual([]);
      expect(readdirSync(app.config.paths.data).sort()).toEqual(['mail', 'preview', 'secret']);
      expect(openPaths(app.config.paths.data)).toEqual([]);
      await store.close();

      const postgres = await openStore({ databaseUrl: await newPostgresUrl(), path: '' });
      await backupStore(postgres, join(folder, 'new/postgres.db'), app.now);
      await postgres.close();
      expect(openPaths(join(folder, 'new'))).toEqual([]);
    } finally {
      process.umask(umask);
    }
  });

  it('of an earlier version are named by the check, with the command for each', () => {
    const folder = temporaryFolder();
    const config = sampleConfig((yaml) => yaml, { cwd: folder });
    const { data, store } = config.paths;
    expect(readableByOthers(config)).toEqual([]);
    mkdirSync(join(data, 'mail'), { recursive: true });
    chmodSync(data, 0o755);
    chmodSync(join(data, 'mail'), 0o700);
    for (const [suffix, mode] of [
      ['', 0o644],
      ['-wal', 0o640],
      ['-shm', 0o600],
    ] as const) {
      writeFileSync(store + suffix, '');
      chmodSync(store + suffix, mode);
    }
    expect(readableByOthers(config)).toEqual([
      `${data} can be read by other users (mode 755): run "chmod 700 ${data}"`,
      `${store} can be read by other users (mode 644): run "chmod 600 ${store}"`,
      `${store}-wal can be read by other users (mode 640): run "chmod 600 ${store}-wal"`,
    ]);
    const feedsWithin = {
      ...config,
      paths: { ...config.paths, feeds: join(data, 'feeds'), store: join(folder, "it's") },
    };
    writeFileSync(feedsWithin.paths.store, '');
    chmodSync(feedsWithin.paths.store, 0o644);
    expect(readableByOthers(feedsWithin)).toEqual([
      expect.stringMatching(/it's can be read .* run "chmod 600 '.*it'\\''s'"$/),
    ]);
  });
});
