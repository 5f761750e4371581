/** The frames of a feed's documents, as bytes. */
import { atomFrame } from './atom.ts';
import type { Frame } from './document-parts.ts';
import { type FeedItem, type FeedView, type Format, feedUpdated, type Tombstone } from './feed-view.ts';
import { jsonFrame } from './json-feed.ts';
import { rssFrame } from './rss.ts';

export type FrameBytes = Record<keyof Frame, Buffer>;

/** Of its items, the frames of a feed show the newest instant alone. */
export class Frames {
  readonly #view: FeedView;
  readonly #tombstones: Tombstone[];
  #last: { updatedAt: number; frames: Record<Format, FrameBytes> } | null = null;

  constructor(view: FeedView, tombstones: Tombstone[]) {
    this.#view = view;
    this.#tombstones = tombstones;
  }

  of(items: Pick<FeedItem, 'updatedAt'>[]): Record<Format, FrameBytes> {
    const updatedAt = feedUpdated(this.#view, items);
    if (this.#last?.updatedAt !== updatedAt) this.#last = { updatedAt, frames: this.#make(updatedAt) };
    return this.#last.frames;
  }

  #make(updatedAt: number): Record<Format, FrameBytes> {
    return {
      rss: toBytes(rssFrame(this.#view, updatedAt)),
      atom: toBytes(atomFrame(this.#view, updatedAt, this.#tombstones)),
      json: toBytes(jsonFrame(this.#view)),
    };
  }
}

function toBytes({ head, first, between, tail }: Frame): FrameBytes {
  return { head: Buffer.from(head), first: Buffer.from(first), between: Buffer.from(between), tail: Buffer.from(tail) };
}
