/**
 * The characters that begin and end a run of text in another direction (UAX #9 §2). One without its pair would turn
 * around the text that follows it on a page or in a feed reader, such as a file name or another outlet's headline.
 */

/** LRE, RLE, LRO and RLO, which PDF ends; LRI, RLI and FSI, which PDI ends. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/;
const [FIRST_EMBEDDING, LAST_EMBEDDING, END_OF_EMBEDDING] = [0x202a, 0x202e, 0x202c];
const [FIRST_ISOLATE, END_OF_ISOLATE] = [0x2066, 0x2069];

/** Removes those without a pair within their line. Pairs nest: of two that cross, one is removed. */
export function removeUnpairedDirections(text: string): string {
  // Nearly every text has none.
  const first = text.search(DIRECTION);
  if (first === -1) return text;
  const unpaired = findUnpaired(text, first);
  let clean = '';
  let from = 0;
  for (let at = unpaired.indexOf(1); at !== -1; at = unpaired.indexOf(1, from)) {
    clean += text.slice(from, at);
    from = at + 1;
  }
  return from === 0 ? text : clean + text.slice(from);
}

/** @returns 1 at the position of each that has no pair. Loops over codes: one text may have a million of them. */
function findUnpaired(text: string, from: number): Uint8Array {
  const unpaired = new Uint8Array(text.length);
  /** Positions of what is open. Of each isolate, how many embeddings are open around it. */
  const embeddings: number[] = [];
  const isolates: number[] = [];
  const embeddingsAround: number[] = [];
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // A paragraph ends them all (UAX #9 §3.3.1).
    if (code === 0x0a) embeddings.length = isolates.length = embeddingsAround.length = 0;
    if (code < FIRST_EMBEDDING || code > END_OF_ISOLATE) continue;
    if (code > LAST_EMBEDDING && code < FIRST_ISOLATE) continue;
    unpaired[at] = 1;
    if (code === END_OF_ISOLATE) {
      const isolate = isolates.pop();
      if (isolate === undefined) continue;
      // It ends the embeddings within, too: they have no end of their own.
      embeddings.length = embeddingsAround.pop() as number;
      unpaired[isolate] = unpaired[at] = 0;
    } else if (code === END_OF_EMBEDDING) {
      if (embeddings.length === (embeddingsAround.at(-1) ?? 0)) continue;
      unpaired[embeddings.pop() as number] = unpaired[at] = 0;
    } else if (code >= FIRST_ISOLATE) {
      isolates.push(at);
      embeddingsAround.push(embeddings.length);
    } else {
      embeddings.push(at);
    }
  }
  return unpaired;
}
