import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Store } from '../../src/core/store/store.ts';
import { findDocument, listDocuments } from '../../src/feeds/documents.ts';
import { mirrorDocuments } from '../../src/feeds/mirror.ts';
import { publishFeeds } from '../../src/feeds/publish/publish-feeds.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { article, saveAll } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { publishDocuments } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { feedsConfig, feedsTemplates } from './feeds-fixture.ts';

let store: Store;
let folder: string;

beforeEach(async () => {
  store = await openMigrated();
  folder = temporaryFolder();
  await publishFeeds(store, feedsConfig(), feedsTemplates(), { now: NOW });
});

it('writes every document with the modification time of the store, and nothing the second time', async () => {
  const target = join(folder, 'made');
  const written = await mirrorDocuments(store.db, target);
  expect(written).toHaveLength(15);
  expect(written).toEqual((await listDocuments(store.db)).map(({ path }) => path));
  for (const path of written) {
    expect(await readFile(join(target, path), 'utf8')).toBe((await findDocument(store.db, path))?.body.toString());
    expect((await stat(join(target, path))).mtimeMs).toBe(NOW);
  }
  expect(await mirrorDocuments(store.db, target)).toEqual([]);
  expect((await readdir(target)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

it('writes only documents that changed, and restores files that were changed', async () => {
  await mirrorDocuments(store.db, folder);
  await saveAll(store, [article('a', { kicker: 'In Depth', section: 'world', kind: 'roundup' })]);
  await publishFeeds(store, feedsConfig(), feedsTemplates(), { now: NOW + MINUTE, feeds: ['in-depth'] });
  // The page of feeds changes too: the kicker is new.
  expect(await mirrorDocuments(store.db, folder)).toEqual([
    'in-depth.atom',
    'in-depth.json',
    'in-depth.rss',
    'index.html',
  ]);
  expect((await stat(join(folder, 'in-depth.rss'))).mtimeMs).toBe(NOW + MINUTE);
  const whole = await readFile(join(folder, 'latest.rss'));
  for (const other of ['half a fee', 'x'.repeat(whole.length)]) {
    await writeFile(join(folder, 'latest.rss'), other);
    expect(await mirrorDocuments(store.db, folder)).toEqual(['latest.rss']);
    expect(await readFile(join(folder, 'latest.rss'))).toEqual(whole);
  }
  await utimes(join(folder, 'latest.rss'), 1, 1);
  expect(await mirrorDocuments(store.db, folder)).toEqual([]);
  expect((await stat(join(folder, 'latest.rss'))).mtimeMs).toBe(NOW);
});

it('removes the files of a feed that is no longer configured, and no other files', async () => {
  await mirrorDocuments(store.db, folder);
  await writeFile(join(folder, 'manifest.json'), '{}');
  await writeFile(join(folder, 'README.md'), 'mine');
  const fewer = feedsConfig((text) => text.replace(/.*id: in-depth.*\n/, ''));
  await publishFeeds(store, fewer, feedsTemplates(), { now: NOW + MINUTE });
  const touched = await mirrorDocuments(store.db, folder);
  expect(touched).toEqual(['feeds.opml', 'in-depth.atom', 'in-depth.json', 'in-depth.rss', 'index.html']);
  const names = await readdir(folder);
  expect(names.filter((name) => name.startsWith('in-depth'))).toEqual([]);
  expect(names).toEqual(expect.arrayContaining(['manifest.json', 'README.md', 'latest.rss']));
});

it('never shows a file with a modification time other than that of its version', async () => {
  const path = 'latest.rss';
  const { mediaType } = (await listDocuments(store.db)).find((one) => one.path === path) ?? { mediaType: '' };
  await mirrorDocuments(store.db, folder);
  const seen = new Set<number>();
  for (let version = 1; version <= 10; version++) {
    await publishDocuments(store, [{ path, mediaType, body: `version ${version}` }], NOW + version * MINUTE);
    let isDone = false;
    const mirroring = mirrorDocuments(store.db, folder).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      for (const end of ['', '.gz', '.br']) seen.add((await stat(join(folder, path + end))).mtimeMs);
    }
    await mirroring;
  }
  const versions = Array.from({ length: 11 }, (_, version) => NOW + version * MINUTE);
  expect([...seen].filter((time) => !versions.includes(time))).toEqual([]);
  expect(seen.size).toBeGreaterThan(1);
});

it('removes temporary files of a killed process, and keeps those that another process is writing', async () => {
  // With the old modification time of a document.
  const temporary = join(folder, '.daywire-0123456789abcdef.tmp');
  await writeFile(temporary, 'half');
  await utimes(temporary, 1, 1);
  await mirrorDocuments(store.db, folder);
  expect(await readdir(folder)).toContain('.daywire-0123456789abcdef.tmp');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * MINUTE });
  try {
    await mirrorDocuments(store.db, folder);
  } finally {
    vi.useRealTimers();
  }
  expect(await readdir(folder)).not.toContain('.daywire-0123456789abcdef.tmp');
});

it('mirrors completely when two processes do so at once', async () => {
  await Promise.all([mirrorDocuments(store.db, folder), mirrorDocuments(store.db, folder)]);
  expect(await mirrorDocuments(store.db, folder)).toEqual([]);
});

it('rejects a document whose path leads out of the folder', async () => {
  await publishDocuments(store, [{ path: '../evil.rss', mediaType: 'text/plain', body: 'x' }], NOW);
  await expect(mirrorDocuments(store.db, folder)).rejects.toThrow('"../evil.rss"');
});
