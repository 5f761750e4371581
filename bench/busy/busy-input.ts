/**
 * The articles of a newsroom that publishes 913 a day: one a minute and a half, up to now.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DAY } from '../../src/lib/time.ts';
import { benchArticle } from '../import.ts';

const PER_DAY = 913;
const KINDS = ['brief', 'analysis', 'feature'] as const;
export const SECTIONS = ['business-tech', 'finance-economy', 'world'] as const;

/** The feeds of the newsroom, and which article belongs to them. */
export const FEEDS = [
  { id: 'latest', select: 'kinds: [brief, analysis, feature, roundup]', has: () => true },
  { id: '24-hours', select: 'kinds: [brief, analysis, feature]', windowHours: 24, has: () => true },
  { id: 'analysis', select: 'kinds: [analysis]', has: (index: number) => kindOf(index) === 'analysis' },
  { id: 'features', select: 'kinds: [feature]', has: (index: number) => kindOf(index) === 'feature' },
  { id: 'roundups', select: 'kinds: [roundup]', has: () => false },
  { id: 'exclusives', select: 'kickers: [Exclusive]', has: (index: number) => index % 5 === 0 },
  { id: 'topic-7', select: 'tags: [Topic 7]', has: (index: number) => index % 50 === 7 },
  ...SECTIONS.map((id) => ({ id, select: `sections: [${id}]`, has: (index: number) => sectionOf(index) === id })),
] satisfies BusyFeed[];

export interface BusyFeed {
  id: string;
  /** As in the configuration. */
  select: string;
  windowHours?: number;
  /** Whether it holds the article of that number. */
  has(index: number): boolean;
}

export interface BusyInput {
  articles: number;
  /** The file of all articles except the stories, the oldest first. */
  file: string;
  /** The newest articles that are in three feeds, `latest`, `24-hours` and their section's; these are edited. */
  stories: BusyStory[];
  /** Of all articles. */
  bytes: number;
  /** Id of the article that is imported last. */
  lastId: string;
}

export interface BusyStory {
  id: string;
  /** As a line of a file. @param headline in place of its own */
  line(headline?: string): string;
}

/** Number 0 is the newest. */
function articleAt(index: number, newestAt: number): Record<string, unknown> {
  const published = new Date(newestAt - Math.round((index * DAY) / PER_DAY)).toISOString();
  return { ...benchArticle(index), kind: kindOf(index), section: sectionOf(index), published };
}

function articleId(index: number): string {
  return `bench-${index}`;
}

/** Writes the input into a folder. @param newestAt when the newest article is dated, epoch milliseconds */
export async function writeInput(
  folder: string,
  { articles, stories, newestAt }: { articles: number; stories: number; newestAt: number },
): Promise<BusyInput> {
  await mkdir(folder, { recursive: true });
  const edited = new Set<number>();
  for (let index = 0; edited.size < stories && index < articles - 1; index++) {
    if (FEEDS.filter((feed) => feed.has(index)).length === 3) edited.add(index);
  }
  const file = join(folder, 'articles.jsonl');
  const stream = createWriteStream(file);
  for (let index = articles - 1; index >= 0; index--) {
    if (edited.has(index)) continue;
    if (!stream.write(`${JSON.stringify(articleAt(index, newestAt))}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
  const lines = [...edited].map((index) => ({
    id: articleId(index),
    line: (headline?: string) =>
      `${JSON.stringify({ ...articleAt(index, newestAt), ...(headline === undefined ? {} : { headline }) })}\n`,
  }));
  const bytes = (await stat(file)).size + lines.reduce((sum, { line }) => sum + line().length, 0);
  const last = Array.from({ length: articles }, (_, index) => index).find((index) => !edited.has(index)) ?? 0;
  return { articles, file, stories: lines, bytes, lastId: articleId(last) };
}

/** Writes further articles, older than all others, to one file. @returns its bytes, and the id of the last one */
export async function writeBatch(file: string, input: BusyInput, newestAt: number, count: number) {
  const last = input.articles + count - 1;
  const lines = Array.from({ length: count }, (_, n) => JSON.stringify(articleAt(input.articles + n, newestAt)));
  const text = `${lines.join('\n')}\n`;
  await writeFile(file, text);
  return { bytes: Buffer.byteLength(text), lastId: articleId(last) };
}

function kindOf(index: number): (typeof KINDS)[number] {
  return KINDS[index % KINDS.length] as (typeof KINDS)[number];
}

/** Independent of the kind. */
function sectionOf(index: number): (typeof SECTIONS)[number] {
  return SECTIONS[Math.floor(index / KINDS.length) % SECTIONS.length] as (typeof SECTIONS)[number];
}
