/**
 * The characters that begin and end a run of text in another direction (UAX #9 §2). One without its pair would turn
 * around the text that follows it on a page or in a feed reader, such as a file name or another outlet's headline.
 */

/** LRE, RLE, LRO and RLO, which PDF ends; LRI, RLI and FSI, which PDI ends. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;
const END_OF_EMBEDDING = '\u202c';
const END_OF_ISOLATE = '\u2069';

/** Removes those without a pair, within the text as a whole. Pairs nest: of two that cross, one is removed. */
export function removeUnpairedDirections(text: string): string {
  // Nearly every text has none.
  const found = text.match(DIRECTIONS);
  if (found === null) return text;
  const paired = pairedDirections(found);
  let index = 0;
  return text.replace(DIRECTIONS, (character) => (paired.has(index++) ? character : ''));
}

/** Indices of the characters that have a pair. */
function pairedDirections(characters: readonly string[]): Set<number> {
  const paired = new Set<number>();
  /** Indices of open isolates, each with the embeddings that are open within it. The first entry is the text itself. */
  const levels: { isolate: number; embeddings: number[] }[] = [{ isolate: -1, embeddings: [] }];
  for (const [index, character] of characters.entries()) {
    const level = levels.at(-1) as (typeof levels)[number];
    if (character === END_OF_ISOLATE) {
      if (levels.length === 1) continue;
      levels.pop();
      paired.add(level.isolate).add(index);
    } else if (character === END_OF_EMBEDDING) {
      const embedding = level.embeddings.pop();
      if (embedding !== undefined) paired.add(embedding).add(index);
    } else if (character < END_OF_EMBEDDING || character === '\u202d' || character === '\u202e') {
      level.embeddings.push(index);
    } else {
      levels.push({ isolate: index, embeddings: [] });
    }
  }
  return paired;
}
