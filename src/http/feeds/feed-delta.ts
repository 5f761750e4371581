/**
 * What is new in a feed since a version that the reader holds (RFC 3229 with `IM: feed`): a document of the same kind, with the items
 * alone that are new or have changed. Made once for each earlier version and coding that is asked for, one after the other: after
 * a publish all readers ask at once, and a compressor takes tens of megabytes.
 */
import { compressTo } from '../../feeds/compress.ts';
import { withoutItems } from '../../feeds/formats/pieces.ts';
import type { Coding } from '../server/negotiate.ts';
import type { Servable } from './decide-response.ts';

export interface Deltas {
  /**
   * @param base the earlier version
   * @returns the body in that coding; null where the whole document is the better answer: every item is new, or too many wait for theirs
   */
  since(document: Servable, base: Servable['history'][number], coding: Coding): Promise<Buffer | null>;
}

const MOST_WAITING = 100;
/** Bytes that are kept; those made longest ago go first. */
const ROOM = 16 * 1024 * 1024;

export function openDeltas(): Deltas {
  const kept = new Map<string, Buffer | null>();
  const underWay = new Map<string, Promise<Buffer | null>>();
  let last: Promise<unknown> = Promise.resolve();
  let bytes = 0;

  const keep = (key: string, delta: Buffer | null): void => {
    kept.set(key, delta);
    bytes += sizeOf(delta);
    for (const [other, one] of kept) {
      if (bytes <= ROOM) break;
      kept.delete(other);
      bytes -= sizeOf(one);
    }
  };

  return {
    since(document, base, coding) {
      // Hashes of the whole: two documents that share them are the same.
      const key = `${document.hash} ${base.hash} ${coding}`;
      const known = kept.get(key);
      if (known !== undefined) return Promise.resolve(known);
      let making = underWay.get(key);
      if (making === undefined) {
        if (underWay.size >= MOST_WAITING) return Promise.resolve(null);
        making = last
          .then(() => makeDelta(document, base.keys, coding))
          .then((delta) => {
            keep(key, delta);
            return delta;
          })
          .finally(() => underWay.delete(key));
        underWay.set(key, making);
        last = making.catch(() => {});
      }
      return making;
    },
  };
}

async function makeDelta({ bodies, spans }: Servable, keys: string[], coding: Coding): Promise<Buffer | null> {
  const identity = spans === null ? null : withoutItems(bodies.identity, spans, new Set(keys));
  if (identity === null || coding === 'identity') return identity;
  return compressTo(coding, identity);
}

/** With what it takes to remember that there is none. */
function sizeOf(delta: Buffer | null): number {
  return (delta?.length ?? 0) + 256;
}
