/** Suggests the name that somebody meant. Pure. */

/** Longer names are not compared: the time is quadratic. */
const MAX_LENGTH = 64;

/**
 * The candidate that differs least from `name` without regard to case, hyphens and underscores: by one letter, or at
 * most a quarter of its letters, where a transposition counts as one; else one that begins with it. Null if there is
 * none. The first of equals.
 */
export function closestName(name: string, candidates: readonly string[]): string | null {
  if (name.length > MAX_LENGTH) return null;
  const wanted = simplify(name);
  let best: string | null = null;
  let least = Math.max(1, Math.floor(wanted.length / 4)) + 1;
  if (wanted.length < 2) return null;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, simplify(candidate), least);
    if (distance >= least) continue;
    best = candidate;
    least = distance;
  }
  return best ?? (wanted.length < 4 ? null : (candidates.find((one) => simplify(one).startsWith(wanted)) ?? null));
}

function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}

/** Optimal string alignment distance; any number of at least `limit` if it is not less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let distance = Math.min(
        (previous[column - 1] as number) + (isSame ? 0 : 1),
        (previous[column] as number) + 1,
        (current[column - 1] as number) + 1,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, (before[column - 2] as number) + 1);
      }
      current.push(distance);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] as number;
}
