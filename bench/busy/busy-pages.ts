/**
 * Response times of a newsroom's pages.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SECTIONS } from './busy-input.ts';
import type { BusyNewsroom } from './busy-newsroom.ts';
import { request } from './busy-request.ts';

const EVERY = 200;

/** Milliseconds, by page. */
export type PageTimes = Record<'front' | 'archive' | 'month' | 'article' | 'section', number[]>;

/**
 * Requests each page so many times, five requests a second, whether or not earlier ones have been answered. Months,
 * articles and sections are others each time.
 */
export async function requestPages(newsroom: BusyNewsroom, times: number): Promise<PageTimes> {
  const months = await linksOf(newsroom, '/archive', /href="([^"]*\/archive\/\d{4}-\d\d)"/g);
  const articles = (await Promise.all(months.slice(0, 3).map((month) => linksOf(newsroom, month, ARTICLE)))).flat();
  const sections = SECTIONS.map((id) => `/sections/${id}`);
  const paths = { front: ['/'], archive: ['/archive'], month: months, article: articles, section: sections };
  const measured: PageTimes = { front: [], archive: [], month: [], article: [], section: [] };
  const responses: Promise<void>[] = [];
  const start = performance.now();
  let sent = 0;
  for (let round = 0; round < times; round++) {
    for (const [page, some] of Object.entries(paths) as [keyof PageTimes, string[]][]) {
      await sleep(Math.max(0, start + sent * EVERY - performance.now()));
      sent++;
      const path = some[round % some.length] as string;
      const response = timeOf(newsroom, path).then((time) => void measured[page].push(time));
      // Its error is thrown at the end.
      response.catch(() => {});
      responses.push(response);
    }
  }
  await Promise.all(responses);
  return measured;
}

/** Milliseconds until the page is there. @throws Error where it does not respond with 200 */
export async function timeOf(newsroom: BusyNewsroom, path: string): Promise<number> {
  const start = performance.now();
  const { ok, status } = await request(new URL(path, newsroom.url));
  if (!ok) throw new Error(`${path} responds with ${status}`);
  return performance.now() - start;
}

const ARTICLE = /href="([^"]*\/articles\/[^"]+)"/g;

async function linksOf(newsroom: BusyNewsroom, path: string, link: RegExp): Promise<string[]> {
  const { text: page } = await request(new URL(path, newsroom.url));
  const found = [...new Set([...page.matchAll(link)].map(([, href]) => href as string))];
  if (found.length === 0) throw new Error(`${path} has no such links`);
  return found;
}
