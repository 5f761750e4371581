/**
 * What is new in a feed since a version that the reader holds (RFC 3229 with `IM: feed`): a document of the same kind, with the items
 * alone that are new or have changed. Made once for each earlier version that is asked from, and gone with the document.
 */
import { type Codings, compress } from '../feeds/coding.ts';
import { withoutItems } from '../feeds/pieces.ts';
import type { Servable } from './feed-answer.ts';
import type { Coding } from './negotiate.ts';

type Delta = { identity: Buffer } & Codings;

const made = new WeakMap<Servable, Map<string, Promise<Delta | null>>>();

/**
 * @param base the earlier version
 * @returns the body in that coding; null where every item is new, so that the whole document is the better answer
 */
export async function deltaSince(
  document: Servable,
  base: Servable['history'][number],
  coding: Coding,
): Promise<Buffer | null> {
  let deltas = made.get(document);
  if (deltas === undefined) {
    deltas = new Map();
    made.set(document, deltas);
  }
  let delta = deltas.get(base.hash);
  if (delta === undefined) {
    delta = makeDelta(document, base.keys);
    deltas.set(base.hash, delta);
  }
  return (await delta)?.[coding] ?? null;
}

async function makeDelta({ bodies, spans }: Servable, keys: string[]): Promise<Delta | null> {
  const identity = spans === null ? null : withoutItems(bodies.identity, spans, new Set(keys));
  return identity === null ? null : { identity, ...(await compress(identity)) };
}
