/** Compares groups with the stories that their headlines are of. Pure. */

/** A headline, by its story, its group, and the groups that are suggested as perhaps the same. */
export interface Placed {
  story: number;
  group: number;
  suggested: ReadonlySet<number>;
}

/** Sums over headlines. Pairs are counted from both of their ends. */
export interface Counts {
  headlines: number;
  /** Share of a headline's group that is of its story, and share of its story that is in its group (B³). */
  precision: number;
  recall: number;
  joinedPairs: number;
  storyPairs: number;
  rightPairs: number;
  suggestedPairs: number;
  rightSuggestedPairs: number;
}

/** Counts the headlines for which `counts` holds, against all headlines of the day. */
export function countDay(day: readonly Placed[], counts: (headline: Placed) => boolean): Counts {
  const sums = noCounts();
  for (const one of day.filter(counts)) {
    const sameGroup = day.filter(({ group }) => group === one.group).length;
    const sameStory = day.filter(({ story }) => story === one.story).length;
    const both = day.filter(({ group, story }) => group === one.group && story === one.story).length;
    const suggested = day.filter(({ group }) => one.suggested.has(group));
    sums.headlines++;
    sums.precision += both / sameGroup;
    sums.recall += both / sameStory;
    sums.joinedPairs += sameGroup - 1;
    sums.storyPairs += sameStory - 1;
    sums.rightPairs += both - 1;
    sums.suggestedPairs += suggested.length;
    sums.rightSuggestedPairs += suggested.filter(({ story }) => story === one.story).length;
  }
  return sums;
}

function noCounts(): Counts {
  return {
    ...{ headlines: 0, precision: 0, recall: 0 },
    ...{ joinedPairs: 0, storyPairs: 0, rightPairs: 0, suggestedPairs: 0, rightSuggestedPairs: 0 },
  };
}

export function addCounts(all: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const one of all) for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += one[key];
  return sum;
}

/** Shares to three digits. Null where nothing was joined, or no story has a pair. */
export function scoresOf(counts: Counts): Record<string, number | null> {
  const precision = counts.precision / counts.headlines;
  const recall = counts.recall / counts.headlines;
  const withSuggestions = counts.rightPairs + counts.rightSuggestedPairs;
  return {
    b3F1: share(2 * precision * recall, precision + recall),
    pairPrecision: share(counts.rightPairs, counts.joinedPairs),
    pairRecall: share(counts.rightPairs, counts.storyPairs),
    pairRecallWithSuggestions: share(withSuggestions, counts.storyPairs),
    suggestedPairPrecision: share(counts.rightSuggestedPairs, counts.suggestedPairs),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1_000) / 1_000;
}
