/** Splits a list into parts of at most `size` entries, for statements whose number of parameters is limited. */
export function* chunks<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < list.length; from += size) yield list.slice(from, from + size);
}
