/**
 * A watched folder is removed, made, renamed and checked out at random: no later edit waits for the poll. On ext4 a new
 * folder has the inode of the one removed before; TMPDIR says which disk is tried. Prints how long the edits took.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startImporting } from '../../../../src/articles/import/watched/watched-folders.ts';
import { findArticle } from '../../../../src/articles/queries.ts';
import { markdown } from '../../../support/articles.ts';
import { openMigrated } from '../../../support/databases.ts';
import { openTestApp } from '../../../support/test-app.ts';

const GROUPS = 2;
const SEQUENCES = 100;
const ROOTS = Array.from({ length: GROUPS }, (_, group) => `site${group}/content/articles`);

/** Pseudo-random numbers below `limit`. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
}

it('imports each edit long before the next poll after its folder was replaced', async () => {
  const store = await openMigrated();
  const edit = (yaml: string): string => yaml.replace('watch: []', `watch: [${ROOTS.join(', ')}]`);
  const app = { ...openTestApp(store, { edit }), clock: Date.now };
  for (const root of ROOTS) prepareSite(join(app.folder, root));
  const importing = startImporting(app);
  onTestFinished(async () => {
    await importing.stop();
    await store.close();
  });
  await sleep(1_000);
  const times = (
    await Promise.all(ROOTS.map((root, group) => runSequences(join(app.folder, root), group, store.db)))
  ).flat();
  const sorted = times.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  console.info(`${sorted.length} edits: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`);
  expect(sorted.length).toBeGreaterThan(GROUPS * SEQUENCES);
  expect(times.filter(({ ms }) => ms > 10_000)).toEqual([]);
});

function git(root: string, ...args: string[]): void {
  const config = ['-c', 'user.name=T', '-c', 'user.email=t@example.com', '-c', 'advice.detachedHead=false'];
  execFileSync('git', [...config, ...args], { cwd: dirname(dirname(root)), stdio: 'ignore' });
}

/** Two branches, of which one lacks the folder and the folder above it. */
function prepareSite(root: string): void {
  mkdirSync(root, { recursive: true });
  git(root, 'init', '-b', 'none');
  git(root, 'commit', '--allow-empty', '-m', 'Empty');
  git(root, 'checkout', '-b', 'all');
  for (const name of ['a', 'b', 'sub/c']) {
    mkdirSync(join(root, dirname(name)), { recursive: true });
    const keys = `headline: ${name}\nid: ${root.split('/').at(-3)}-${name.at(-1)}\npublished: 2020-01-01`;
    writeFileSync(join(root, `${name}.md`), markdown(keys));
  }
  git(root, 'add', '.');
  git(root, 'commit', '-m', 'All');
}

async function runSequences(root: string, group: number, db: Parameters<typeof findArticle>[0]) {
  const pick = random(20_261_202 + group);
  const times: { ms: number; steps: string }[] = [];
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const steps: string[] = [];
    for (let step = 0; step <= pick(4); step++) {
      steps.push(change(root, pick));
      if (pick(2) === 0) await sleep(pick(60));
    }
    const folder = join(root, ['', 'sub', 'made'][pick(3)] ?? '');
    mkdirSync(folder, { recursive: true });
    for (let edit = 0; edit < 2; edit++) {
      await sleep(100 + pick(200));
      times.push({ ms: await timeOfEdit(folder, `edit-${group}-${sequence}-${edit}`, db), steps: steps.join(', ') });
    }
  }
  return times;
}

/** @returns what was done */
function change(root: string, pick: (limit: number) => number): string {
  const folder = [root, join(root, 'sub'), join(root, 'made'), dirname(root)][pick(4)] ?? root;
  switch (pick(4)) {
    case 0:
      rmSync(folder, { recursive: true, force: true });
      return `remove ${folder}`;
    case 1:
      mkdirSync(folder, { recursive: true });
      return `make ${folder}`;
    case 2:
      rmSync(`${folder}-old`, { recursive: true, force: true });
      if (existsSync(folder)) renameSync(folder, `${folder}-old`);
      if (pick(2) === 0) mkdirSync(folder, { recursive: true });
      return `rename ${folder}`;
    default:
      git(root, 'checkout', '-f', 'none');
      git(root, 'checkout', '-f', 'all');
      return 'check out';
  }
}

async function timeOfEdit(folder: string, id: string, db: Parameters<typeof findArticle>[0]): Promise<number> {
  writeFileSync(join(folder, '.new'), markdown(`headline: ${id}\nid: ${id}\npublished: 2020-01-01`));
  const start = performance.now();
  renameSync(join(folder, '.new'), join(folder, `${id}.md`));
  while ((await findArticle(db, id)) === null && performance.now() - start < 40_000) await sleep(10);
  return performance.now() - start;
}
