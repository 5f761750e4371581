/**
 * Edits of articles while everything else goes on: how long until the feeds show them, and what they rewrite.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE } from '../../src/lib/time.ts';
import { type BusyStory, FEEDS } from './busy-input.ts';
import type { BusyNewsroom } from './busy-newsroom.ts';
import { request } from './busy-request.ts';
import type { BusyStore } from './busy-store.ts';

const ASK_EVERY = 20;
const LOOK_EVERY = 10;
/** An edit that takes longer counts as one that took as long. */
const LIMIT = 3 * MINUTE;

export interface Edits {
  /** Seconds from the commit of each change until the feed shows it. */
  fromCommit: number[];
  /** Seconds from the moment that its file is there. */
  fromFile: number[];
  /** Of each edit: feed documents that are others than before it. */
  documents: number[];
}

/**
 * Writes edited articles into the watched folder, one after the other. Meanwhile the store is asked every 10 ms whether
 * it has the change, and the feed `latest.rss` is requested every 20 ms, conditionally.
 * @param pause milliseconds between two edits, on average
 */
export async function editByFile(
  newsroom: BusyNewsroom,
  store: BusyStore,
  stories: BusyStory[],
  { count, pause }: { count: number; pause: number },
): Promise<Edits> {
  const feed = new FeedClient(`${newsroom.url}/feeds/latest.rss`);
  const edits: Edits = { fromCommit: [], fromFile: [], documents: [] };
  for (let number = 0; number < count; number++) {
    await sleep(pause * (0.5 + Math.random()));
    const story = stories[number % stories.length] as BusyStory;
    const headline = `Edited by File as Number ${number} of the Day`;
    const before = await store.digestOf(story.id);
    const tagsBefore = await entityTags(newsroom);
    await feed.refresh();
    const writtenAt = performance.now();
    newsroom.write(`articles/${story.id}.jsonl`, story.line(headline));
    const [committedAt, shownAt] = await Promise.all([
      untilChanged(store, story.id, before),
      feed.untilShown(headline, writtenAt + LIMIT),
    ]);
    const tagsAfter = await entityTags(newsroom);
    edits.fromCommit.push(Math.max(0, shownAt - committedAt) / 1_000);
    edits.fromFile.push((shownAt - writtenAt) / 1_000);
    process.stderr.write(`  edit ${number + 1}: ${edits.fromCommit.at(-1)?.toFixed(2)} s\r`);
    edits.documents.push([...tagsAfter].filter(([path, tag]) => tagsBefore.get(path) !== tag).length);
  }
  return edits;
}

export interface CommandEdits {
  /** Seconds from the start of `daywire import` until the feed shows the edit, process start included. */
  shown: number[];
  /** Seconds until the command has ended. */
  ended: number[];
}

/** Edits articles by `daywire import FILE`, beside the running process. They belong to files outside its folder. */
export async function editByCommand(newsroom: BusyNewsroom, stories: BusyStory[]): Promise<CommandEdits> {
  const feed = new FeedClient(`${newsroom.url}/feeds/latest.rss`);
  const edits: CommandEdits = { shown: [], ended: [] };
  for (const [number, story] of stories.entries()) {
    await sleep(ASK_EVERY * 50);
    const headline = `Edited by Command as Number ${number} of the Day`;
    const file = newsroom.write(`desk/${story.id}.jsonl`, story.line(headline));
    await feed.refresh();
    const start = performance.now();
    const [shownAt, { seconds }] = await Promise.all([
      feed.untilShown(headline, start + LIMIT),
      newsroom.run(['import', file]),
    ]);
    edits.shown.push((shownAt - start) / 1_000);
    edits.ended.push(seconds);
  }
  return edits;
}

async function untilChanged(store: BusyStore, id: string, before: string | null): Promise<number> {
  for (const end = performance.now() + LIMIT; performance.now() < end; await sleep(LOOK_EVERY)) {
    if ((await store.digestOf(id)) !== before) break;
  }
  return performance.now();
}

/** Of all documents of feeds that are there. */
async function entityTags(newsroom: BusyNewsroom): Promise<Map<string, string | null>> {
  const paths = FEEDS.flatMap(({ id }) => ['rss', 'atom', 'json'].map((format) => `${id}.${format}`));
  const tags = new Map<string, string | null>();
  for (const path of paths) {
    const { ok, headers } = await request(`${newsroom.url}/feeds/${path}`, { method: 'HEAD' });
    if (ok) tags.set(path, headers.get('ETag'));
  }
  return tags;
}

/** A reader that requests a feed with conditions. */
class FeedClient {
  readonly #url: string;
  #tag: string | null = null;
  #text = '';

  constructor(url: string) {
    this.#url = url;
  }

  async refresh(): Promise<void> {
    const headers: Record<string, string> = this.#tag === null ? {} : { 'If-None-Match': this.#tag };
    const response = await request(this.#url, { headers });
    if (!response.ok) return;
    this.#tag = response.headers.get('ETag');
    this.#text = response.text;
  }

  /** @returns when the feed had it, or the deadline */
  async untilShown(text: string, deadline: number): Promise<number> {
    while (performance.now() < deadline) {
      await this.refresh();
      if (this.#text.includes(text)) break;
      await sleep(ASK_EVERY);
    }
    return performance.now();
  }
}
