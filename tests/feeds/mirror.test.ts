import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { saveArticle } from '../../src/articles/import/save.ts';
import { closeDuePages } from '../../src/feeds/archive/close-due-pages.ts';
import { findDocument, listDocuments, saveDocuments } from '../../src/feeds/documents.ts';
import { mirrorDocuments } from '../../src/feeds/mirror.ts';
import { publishFeeds } from '../../src/feeds/publish.ts';
import { DAY, MINUTE } from '../../src/lib/time.ts';
import type { Store } from '../../src/store/store.ts';
import { openMigrated } from '../support/databases.ts';
import { article, NOW, sampleConfig, sampleTemplates } from './formats/sample.ts';

let store: Store;
let folder: string;

beforeEach(async () => {
  store = await openMigrated();
  folder = await mkdtemp(join(tmpdir(), 'daywire-mirror-'));
  await publishFeeds(store, sampleConfig(), sampleTemplates(), { now: NOW });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

it('writes every document, dated as the store dates it, and nothing the second time', async () => {
  const target = join(folder, 'made');
  const written = await mirrorDocuments(store.db, target);
  expect(written).toEqual((await listDocuments(store.db)).map(({ path }) => path));
  for (const path of written) {
    expect(await readFile(join(target, path), 'utf8')).toBe((await findDocument(store.db, path))?.body);
    expect((await stat(join(target, path))).mtimeMs).toBe(NOW);
  }
  expect(await mirrorDocuments(store.db, target)).toEqual([]);
  expect((await readdir(target)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

it('writes what changed alone, and mends what someone else has changed', async () => {
  await mirrorDocuments(store.db, folder);
  await saveArticle(store.db, article('a', { kicker: 'In Depth', section: 'world', kind: 'roundup' }), 'd', NOW);
  await publishFeeds(store, sampleConfig(), sampleTemplates(), { now: NOW + MINUTE, feeds: ['in-depth'] });
  // The page of feeds, too: the kicker is a new one.
  expect(await mirrorDocuments(store.db, folder)).toEqual([
    'in-depth.atom',
    'in-depth.json',
    'in-depth.rss',
    'index.html',
  ]);
  expect((await stat(join(folder, 'in-depth.rss'))).mtimeMs).toBe(NOW + MINUTE);
  await writeFile(join(folder, 'latest.rss'), 'half a fee');
  expect(await mirrorDocuments(store.db, folder)).toEqual(['latest.rss']);
  await utimes(join(folder, 'latest.rss'), 1, 1);
  expect(await mirrorDocuments(store.db, folder)).toEqual([]);
  expect((await stat(join(folder, 'latest.rss'))).mtimeMs).toBe(NOW);
});

it('removes the files of a feed that is no longer configured, and no file that it has not written', async () => {
  await mirrorDocuments(store.db, folder);
  await writeFile(join(folder, 'manifest.json'), '{}');
  await writeFile(join(folder, 'README.md'), 'mine');
  const fewer = sampleConfig((text) => text.replace(/.*id: in-depth.*\n/, ''));
  await publishFeeds(store, fewer, sampleTemplates(), { now: NOW + MINUTE });
  const touched = await mirrorDocuments(store.db, folder);
  expect(touched).toEqual(['feeds.opml', 'in-depth.atom', 'in-depth.json', 'in-depth.rss', 'index.html']);
  const names = await readdir(folder);
  expect(names.filter((name) => name.startsWith('in-depth'))).toEqual([]);
  expect(names).toEqual(expect.arrayContaining(['manifest.json', 'README.md', 'latest.rss']));
});

it('clears away what a killed process left half written, and not what another is writing', async () => {
  const abandoned = join(folder, '.daywire-0123456789abcdef.tmp');
  const fresh = join(folder, '.daywire-fedcba9876543210.tmp');
  await writeFile(abandoned, 'half');
  await writeFile(fresh, 'half');
  await utimes(abandoned, 1, 1);
  await mirrorDocuments(store.db, folder);
  const names = await readdir(folder);
  expect(names).not.toContain('.daywire-0123456789abcdef.tmp');
  expect(names).toContain('.daywire-fedcba9876543210.tmp');
});

it('writes archives into folders, and again where they are gone or have changed; it does not look into each of them', async () => {
  const later = NOW + 40 * DAY;
  await saveArticle(store.db, article('a'), 'd', NOW);
  await closeDuePages(store, sampleConfig(), { now: later });
  const written = await mirrorDocuments(store.db, folder);
  const archive = ['atom', 'json', 'rss'].map((format) => `archive/latest/2026-11.${format}`);
  expect(written).toEqual(expect.arrayContaining(archive));
  const [path = ''] = archive;
  const { body = '' } = (await findDocument(store.db, path)) ?? {};
  for (const gone of [path, `${path}.gz`, `${path}.br`]) {
    await rm(join(folder, gone));
    expect(await mirrorDocuments(store.db, folder)).toEqual([path]);
  }
  expect(await readFile(join(folder, path), 'utf8')).toBe(body);
  await rm(join(folder, 'archive'), { recursive: true });
  expect(await mirrorDocuments(store.db, folder)).toEqual(written.filter((name) => name.startsWith('archive/')));
  // It has found this one whole.
  await writeFile(join(folder, path), 'mine');
  expect(await mirrorDocuments(store.db, folder)).toEqual([]);
  const { mediaType } = (await listDocuments(store.db)).find((one) => one.path === path) ?? { mediaType: '' };
  await saveDocuments(store.db, [{ path, mediaType, body: `${body}\n` }], later + MINUTE);
  expect(await mirrorDocuments(store.db, folder)).toEqual([path]);
  expect(await readFile(join(folder, path), 'utf8')).toBe(`${body}\n`);
});

it('settles when two processes mirror at once', async () => {
  await Promise.all([mirrorDocuments(store.db, folder), mirrorDocuments(store.db, folder)]);
  expect(await mirrorDocuments(store.db, folder)).toEqual([]);
});

it('refuses a document whose name leads out of the folder', async () => {
  await saveDocuments(store.db, [{ path: '../evil.rss', mediaType: 'text/plain', body: 'x' }], NOW);
  await expect(mirrorDocuments(store.db, folder)).rejects.toThrow('"../evil.rss"');
});
