/**
 * The characters that begin and end a run of text in another direction (UAX #9 §2). One without its pair would turn
 * around the text that follows it on a page or in a feed reader, such as a file name or another outlet's headline.
 */

/** LRE, RLE, LRO and RLO, which PDF ends; LRI, RLI and FSI, which PDI ends. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;
const ISOLATES = '\u2066\u2067\u2068';
const END_OF_EMBEDDING = '\u202c';
const END_OF_ISOLATE = '\u2069';

/** Removes those without a pair, within the text as a whole. Pairs nest: of two that cross, one is removed. */
export function removeUnpairedDirections(text: string): string {
  // Nearly every text has none.
  const found = text.match(DIRECTIONS);
  if (found === null) return text;
  const paired = findPairs(found);
  if (!paired.includes(0)) return text;
  let index = 0;
  return text.replace(DIRECTIONS, (character) => (paired[index++] === 1 ? character : ''));
}

/** @returns for each character 1 if it has a pair, else 0 */
function findPairs(characters: readonly string[]): Uint8Array {
  const paired = new Uint8Array(characters.length);
  /** Indices of open isolates, and of open embeddings within the innermost isolate and all those around it. */
  const isolates: { index: number; embeddingsBefore: number }[] = [];
  const embeddings: number[] = [];
  for (const [index, character] of characters.entries()) {
    const isolate = isolates.at(-1);
    if (character === END_OF_ISOLATE) {
      if (isolate === undefined) continue;
      isolates.pop();
      embeddings.length = isolate.embeddingsBefore;
      paired[isolate.index] = paired[index] = 1;
    } else if (character === END_OF_EMBEDDING) {
      if (embeddings.length === (isolate?.embeddingsBefore ?? 0)) continue;
      paired[embeddings.pop() as number] = paired[index] = 1;
    } else if (ISOLATES.includes(character)) {
      isolates.push({ index, embeddingsBefore: embeddings.length });
    } else {
      embeddings.push(index);
    }
  }
  return paired;
}
