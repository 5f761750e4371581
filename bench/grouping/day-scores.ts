/** Compares the groups of a news day with its labels. Pure. */
import type { Grouping } from '../../src/outlets/grouping/grouping-item.ts';
import type { LabelledItem } from './labelled-days.ts';

/** Sums over days. */
export interface DayCounts {
  /** Groups of at least two outlets; those that can be judged, and those that are of one story. */
  groups: number;
  judgedGroups: number;
  rightGroups: number;
  /** Outlets beside the first of a group, and those that report its story. */
  credits: number;
  rightCredits: number;
  /** Stories of at least two outlets, and those of which a group has two; with suggestions, a group or a suggestion. */
  stories: number;
  foundStories: number;
  foundOrSuggestedStories: number;
  /** Pairs of reports of two outlets. */
  pairs: number;
  rightPairs: number;
  storyPairs: number;
  /** Pairs of groups. */
  suggestions: number;
  rightSuggestions: number;
  items: number;
  precision: number;
  recall: number;
}

export const NO_COUNTS: DayCounts = {
  ...{ groups: 0, judgedGroups: 0, rightGroups: 0, credits: 0, rightCredits: 0 },
  ...{ stories: 0, foundStories: 0, foundOrSuggestedStories: 0, pairs: 0, rightPairs: 0, storyPairs: 0 },
  ...{ suggestions: 0, rightSuggestions: 0, items: 0, precision: 0, recall: 0 },
};

export function addDayCounts(a: DayCounts, b: DayCounts): DayCounts {
  const keys = Object.keys(NO_COUNTS) as (keyof DayCounts)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as DayCounts;
}

/** @param items by id, as `readDays` numbers them */
export function countDayGroups(items: readonly LabelledItem[], { groups, suggestions }: Grouping): DayCounts {
  const members = new Map(groups.map((group) => [group.id, group.items.map((id) => items[id] as LabelledItem)]));
  const shown = [...members.values()].filter((group) => outletsIn(group) > 1);
  const judged = shown.map(judgeGroup);
  const pairs = shown.flatMap(pairsOf).filter(([a, b]) => isSame(a, b) || !isUnclear(a, b));
  const storiesOf = Map.groupBy(items, ({ story }) => story);
  const stories = [...storiesOf.values()].filter((story) => outletsIn(story) > 1);
  const suggested = suggestions.map(({ groupId, otherId }) => [members.get(groupId) ?? [], members.get(otherId) ?? []]);
  const together = [...shown, ...suggested.map((both) => both.flat())];
  const news = items.filter(({ isDigest }) => !isDigest);
  const groupOf = new Map([...members.values()].flatMap((group) => group.map((item) => [item, group] as const)));
  const share = (item: LabelledItem, of: readonly LabelledItem[]): number => {
    const counted = of.filter((other) => isSame(item, other) || !isUnclear(item, other));
    return counted.filter((other) => isSame(item, other)).length / counted.length;
  };
  const isFound = (story: LabelledItem[], sets: LabelledItem[][]): boolean =>
    sets.some((set) => outletsIn(set.filter((item) => story.includes(item))) > 1);
  return {
    groups: shown.length,
    judgedGroups: judged.filter((verdict) => verdict !== null).length,
    rightGroups: judged.filter((verdict) => verdict === true).length,
    ...creditsOf(shown),
    stories: stories.length,
    foundStories: stories.filter((story) => isFound(story, shown)).length,
    foundOrSuggestedStories: stories.filter((story) => isFound(story, together)).length,
    pairs: pairs.length,
    rightPairs: pairs.filter(([a, b]) => isSame(a, b)).length,
    storyPairs: stories.flatMap(pairsOf).length,
    suggestions: suggested.length,
    rightSuggestions: suggested.filter(([a = [], b = []]) => a.some((one) => b.some((two) => isSame(one, two)))).length,
    items: news.length,
    precision: sum(news.map((item) => share(item, groupOf.get(item) as LabelledItem[]))),
    recall: sum(
      news.map((item) => {
        const story = storiesOf.get(item.story) as LabelledItem[];
        return story.filter((other) => groupOf.get(other) === groupOf.get(item)).length / story.length;
      }),
    ),
  };
}

/** Whether a group is of one story; null if that depends on items of doubt, or on digests. */
function judgeGroup(group: readonly LabelledItem[]): boolean | null {
  const wrong = pairsOf(group).filter(([a, b]) => !isSame(a, b));
  if (wrong.length === 0) return true;
  if (wrong.some(([a, b]) => !isUnclear(a, b))) return false;
  const clear = group.filter(({ isDigest, isDoubtful }) => !isDigest && !isDoubtful);
  return outletsIn(clear) > 1 ? true : null;
}

/** The reports that a roundup would credit beside the earliest one. */
function creditsOf(shown: readonly LabelledItem[][]): { credits: number; rightCredits: number } {
  const credits = shown.flatMap(([first, ...others]) =>
    others.map((other): [LabelledItem, LabelledItem] => [first as LabelledItem, other]),
  );
  const judged = credits.filter(([first, other]) => isSame(first, other) || !isUnclear(first, other));
  return { credits: judged.length, rightCredits: judged.filter(([first, other]) => isSame(first, other)).length };
}

function pairsOf(items: readonly LabelledItem[]): [LabelledItem, LabelledItem][] {
  const all = items.flatMap((a, index) => items.slice(index + 1).map((b): [LabelledItem, LabelledItem] => [a, b]));
  return all.filter(([a, b]) => a.item.outlet !== b.item.outlet);
}

function isSame(a: LabelledItem, b: LabelledItem): boolean {
  return a.story === b.story;
}

/** A false join with such an item is not counted. */
function isUnclear(a: LabelledItem, b: LabelledItem): boolean {
  return [a, b].some(({ isDigest, isDoubtful }) => isDigest || isDoubtful);
}

function outletsIn(items: readonly LabelledItem[]): number {
  return new Set(items.map(({ item }) => item.outlet)).size;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Shares from 0 to 1, to three digits; null where there is nothing to share. With intervals, since days are few. */
export function daySharesOf(counts: DayCounts): Record<string, number | null> {
  const [precision, recall] = [counts.precision / counts.items, counts.recall / counts.items];
  return {
    groups: counts.groups,
    groupPrecision: ratio(counts.rightGroups, counts.judgedGroups),
    ...interval('groupPrecision', counts.rightGroups, counts.judgedGroups),
    creditPrecision: ratio(counts.rightCredits, counts.credits),
    stories: counts.stories,
    groupRecall: ratio(counts.foundStories, counts.stories),
    ...interval('groupRecall', counts.foundStories, counts.stories),
    pairPrecision: ratio(counts.rightPairs, counts.pairs),
    pairRecall: ratio(counts.rightPairs, counts.storyPairs),
    b3F1: ratio(2 * precision * recall, precision + recall),
    suggestions: counts.suggestions,
    suggestedPairPrecision: ratio(counts.rightSuggestions, counts.suggestions),
    groupRecallWithSuggestions: ratio(counts.foundOrSuggestedStories, counts.stories),
  };
}

/** The 95 % score interval of a share (E. B. Wilson, 1927). */
function interval(name: string, part: number, whole: number): Record<string, number | null> {
  if (whole === 0) return {};
  const [share, square] = [part / whole, 1.96 ** 2];
  const middle = share + square / (2 * whole);
  const reach = 1.96 * Math.sqrt((share * (1 - share)) / whole + square / (4 * whole ** 2));
  const bound = (sum: number): number | null => ratio(sum, 1 + square / whole);
  return { [`${name}From`]: bound(middle - reach), [`${name}To`]: bound(middle + reach) };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1_000) / 1_000;
}
