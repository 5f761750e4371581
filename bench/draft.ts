/**
 * How long an editor waits: a command to the draft of the next edition and the new preview, in one process, against a
 * preview without a command in the same run. The store is an SQLite file with 20,000 articles.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { seedStore } from '../scripts/seed.ts';
import { openParts } from '../src/app/context-parts.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { parseConfig } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { composeDraft, type DraftComposition } from '../src/editions/draft/compose-draft.ts';
import { type DraftTarget, findDraftTarget } from '../src/editions/draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../src/editions/draft/edit-draft.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { CUTOFF } from './compose.ts';
import { percentile } from './figures.ts';

const ARTICLES = 20_000;
const WARM_UP = 10;
const ROUNDS = 120;

/** @returns milliseconds; `first`: the first preview of the process, which starts a thread and loads MJML there */
export async function benchDraft(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-bench-draft-'));
  const app = await openBenchApp(folder, CUTOFF + 1_000);
  try {
    await seedStore(app, { articles: ARTICLES, subscribers: 0, seed: 1, until: CUTOFF });
    const [newsletter] = app.config.newsletters;
    if (newsletter === undefined) throw new Error('the configuration has no newsletter');
    const target = await findDraftTarget(app, newsletter);
    const firstMs = await timed(() => preview(app, target));
    const [edits, previews, both] = [[], [], []] as number[][] as [number[], number[], number[]];
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const request = await nextRequest(app, target, round + WARM_UP);
      const editMs = await timed(() => editDraft(app, target, 'Ada', request));
      const editedMs = await timed(() => preview(app, target));
      const alone = await timed(() => preview(app, target));
      if (round < 0) continue;
      edits.push(editMs);
      both.push(editMs + editedMs);
      previews.push(alone);
    }
    return {
      rounds: ROUNDS,
      articles: ARTICLES,
      firstPreviewMs: rounded(firstMs),
      editAndPreviewP50Ms: percentile(both, 0.5),
      editAndPreviewP95Ms: percentile(both, 0.95),
      editP50Ms: percentile(edits, 0.5),
      editP95Ms: percentile(edits, 0.95),
      previewAloneP50Ms: percentile(previews, 0.5),
      previewAloneP95Ms: percentile(previews, 0.95),
    };
  } finally {
    await app.store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Moves a story within its block, changes the subject, drops a story, and restores it, in turn. */
async function nextRequest(app: AppContext, target: DraftTarget, round: number): Promise<DraftRequest> {
  const shown = await preview(app, target);
  const news = shown.composed.articles.filter(({ block }) => block === 'news').map(({ articleId }) => articleId);
  const last = news.at(-1) as string;
  const [dropped] = shown.composed.dropped;
  switch (round % 4) {
    case 0:
      return { kind: 'move', story: last, block: 'news', place: { kind: 'first' } };
    case 1:
      return { kind: 'subject', text: `Subject of round ${round}` };
    case 2:
      return { kind: 'drop', story: last };
    default:
      return dropped === undefined ? { kind: 'drop', story: last } : { kind: 'restore', story: dropped };
  }
}

async function preview(app: AppContext, target: DraftTarget): Promise<DraftComposition> {
  const outcome = await composeDraft(app, target);
  if (outcome.kind === 'empty') throw new Error(`there is no preview: ${outcome.kind}`);
  return outcome;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/** Opens the sample's configuration with an empty store. @param now what the clock shows, epoch milliseconds */
async function openBenchApp(folder: string, now: number): Promise<AppContext> {
  const root = resolve(import.meta.dirname, '..');
  const file = join(root, 'config/daywire.yaml');
  const env = { DAYWIRE_SECRET: 'x'.repeat(40) };
  const config = parseConfig(readFileSync(file, 'utf8'), { file, env, cwd: folder });
  const store = await openStore({ path: join(folder, 'daywire.db') });
  await migrate(store);
  const templates = openTemplates(join(root, 'templates'), config.publication.zone);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const clock = (): number => now;
  return { config, store, ...openParts(config, store, { clock, log }), templates, clock, log };
}
