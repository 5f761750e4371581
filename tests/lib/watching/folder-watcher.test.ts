import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ChangedFile, FolderWatcher } from '../../../src/lib/watching/folder-watcher.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Other systems report too little: there nothing is watched. */
const IS_WATCHED = process.platform === 'linux';

function openWatcher() {
  const changed: ChangedFile[] = [];
  /** Files that had appeared when the first ones of `changed` were reported. */
  let appearedBefore: string[] | null = null;
  const appeared: string[] = [];
  const onChange = (files: ChangedFile[]): void => {
    appearedBefore ??= [...appeared];
    changed.push(...files);
  };
  const folders = { changes: 0 };
  const onFolders = (): void => {
    folders.changes += 1;
  };
  const watcher = new FolderWatcher({ onChange, onAppeared: (path) => appeared.push(path), onFolders });
  onTestFinished(() => watcher.close());
  return { watcher, changed, folders, appearedBefore: () => appearedBefore };
}

function renameInto(folder: string, name: string, text = 'Some words.'): string {
  const file = join(folder, name);
  writeFileSync(join(folder, '.new'), text);
  renameSync(join(folder, '.new'), file);
  return file;
}

describe('a watcher of folders', () => {
  it('takes a file as whole that is renamed into place, and none that is empty, hidden or written there', async () => {
    const folder = temporaryFolder();
    const { watcher, changed } = openWatcher();
    expect(await watcher.watch([folder])).toBeNull();
    writeFileSync(join(folder, 'in-place.md'), 'Half a');
    renameInto(folder, 'empty.md', '');
    renameInto(folder, '.hidden.md');
    const whole = renameInto(folder, 'whole.md');
    await expect.poll(() => changed).toEqual(IS_WATCHED ? [{ path: whole, isWhole: true }] : []);
  });

  it('says that a file with content has appeared before it is known to be whole', async () => {
    const folder = temporaryFolder();
    const { watcher, appearedBefore } = openWatcher();
    await watcher.watch([folder]);
    renameInto(folder, 'empty.md', '');
    const whole = renameInto(folder, 'whole.md');
    await expect.poll(appearedBefore).toEqual(IS_WATCHED ? [whole] : null);
  });

  it('watches a folder that has taken the place of another one, and none that it is no longer told of', async () => {
    const folder = temporaryFolder();
    const [kept, left] = [join(folder, 'kept'), join(folder, 'left')];
    const { watcher, changed } = openWatcher();
    for (const one of [kept, left]) mkdirSync(one);
    await watcher.watch([kept, left]);
    rmSync(kept, { recursive: true });
    mkdirSync(kept);
    await watcher.watch([kept, join(folder, 'missing')]);
    renameInto(left, 'a.md');
    const file = renameInto(kept, 'b.md');
    await expect.poll(() => changed).toEqual(IS_WATCHED ? [{ path: file, isWhole: true }] : []);
  });

  it('says that a folder has appeared or gone, and reports what was in a new one before it was watched', async () => {
    const folder = temporaryFolder();
    const articles = join(folder, 'articles');
    const { watcher, changed, folders } = openWatcher();
    await watcher.watch([folder]);
    mkdirSync(articles);
    await expect.poll(() => folders.changes).toBe(IS_WATCHED ? 1 : 0);
    writeFileSync(join(articles, 'early.md'), 'Some words.');
    await watcher.watch([folder, articles]);
    rmSync(articles, { recursive: true });
    await expect.poll(() => folders.changes).toBe(IS_WATCHED ? 2 : 0);
    mkdirSync(articles);
    writeFileSync(join(articles, 'early.md'), 'Some words.');
    await watcher.watch([folder, articles]);
    await expect.poll(() => changed).toEqual(IS_WATCHED ? [{ path: join(articles, 'early.md'), isWhole: false }] : []);
  });

  it('reports nothing once it is closed', async () => {
    const folder = temporaryFolder();
    const [closed, open] = [openWatcher(), openWatcher()];
    for (const { watcher } of [closed, open]) await watcher.watch([folder]);
    renameInto(folder, 'a.md');
    closed.watcher.close();
    await expect.poll(() => open.changed.length).toBe(IS_WATCHED ? 1 : 0);
    expect(closed.changed).toEqual([]);
  });
});
