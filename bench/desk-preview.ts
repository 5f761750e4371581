/**
 * How long an editor waits at the desk: a command to the draft, the new page, and the new preview, by the requests that
 * a browser makes, in one process. The edition has 25 stories; the store is an SQLite file with 20,000 other articles.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedStore } from '../scripts/seed.ts';
import type { AppContext } from '../src/app/app-context.ts';
import { DAY } from '../src/lib/time.ts';
import { CUTOFF, saveStories } from './compose.ts';
import { openDeskClient } from './desk-client.ts';
import { openBenchApp } from './draft.ts';
import { percentile } from './figures.ts';

const ARTICLES = 20_000;
const WARM_UP = 10;
const ROUNDS = 120;
const PATH = '/desk/editions/daily-roundup/2026-11-24/draft';

/** @returns milliseconds; `first`: the first page of the process, which starts a thread and loads MJML there */
export async function benchDeskPreview(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-bench-desk-'));
  const app = await openBenchApp(folder, CUTOFF - 1);
  try {
    await seedStore(app, { articles: ARTICLES, subscribers: 0, seed: 1, until: CUTOFF - 3 * DAY });
    await saveStories(app.store);
    const editor = await openEditor(app);
    const firstPageMs = await timed(async () => editor.show(await editor.page()));
    const steps: Record<'act' | 'page' | 'preview' | 'whole', number[]> = { act: [], page: [], preview: [], whole: [] };
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const before = await editor.page();
      let after = '';
      const act = await timed(() => editor.act(before, round + WARM_UP));
      const page = await timed(async () => {
        after = await editor.page();
      });
      const preview = await timed(() => editor.show(after));
      if (round < 0) continue;
      for (const [name, ms] of Object.entries({ act, page, preview, whole: act + page + preview })) {
        steps[name as keyof typeof steps].push(ms);
      }
    }
    await editor.stop();
    return {
      rounds: ROUNDS,
      firstPageMs: Math.round(firstPageMs),
      editToPreviewP50Ms: percentile(steps.whole, 0.5),
      editToPreviewP95Ms: percentile(steps.whole, 0.95),
      actP95Ms: percentile(steps.act, 0.95),
      pageP50Ms: percentile(steps.page, 0.5),
      pageP95Ms: percentile(steps.page, 0.95),
      previewP95Ms: percentile(steps.preview, 0.95),
    };
  } finally {
    await app.store.close();
    rmSync(folder, { recursive: true });
  }
}

async function openEditor(app: AppContext) {
  const { request, stop } = await openDeskClient(app, 'editor');
  return {
    page: () => request(PATH),
    /** Moves a story to the top of its block, drops it, and restores it, in turn. */
    async act(page: string, round: number): Promise<void> {
      const seen = /name="seen" value="(\d+)"/.exec(page)?.[1] ?? '0';
      const [act, fields] = [
        ['move', { story: `news-${round % 8}`, block: 'news', place: 'first' }],
        ['drop', { story: `news-${(round - 1) % 8}` }],
        ['restore', { story: `news-${(round - 2) % 8}` }],
      ][round % 3] as [string, Record<string, string>];
      await request(`${PATH}/${act}`, { method: 'POST', body: new URLSearchParams({ seen, ...fields }) });
    },
    /** Loads the frame of the preview. */
    async show(page: string): Promise<void> {
      const address = /<iframe [^>]*src="([^"]*)"/.exec(page)?.[1];
      if (address === undefined) throw new Error('the page has no preview');
      const mail = await request(address.replaceAll('&amp;', '&'));
      if (!mail.includes('news-0') && !mail.includes('news-1')) throw new Error('the preview lacks its stories');
    },
    stop,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
