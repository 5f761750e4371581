/**
 * The order of groups in an editor's list. Pure.
 *
 * Events of two or more outlets come first. Such a group has one point for each outlet, and its points halve every
 * twelve hours after its newest report. Below are the reports of one outlet that are perhaps the same as others, then
 * all others. The freshest are first there: each counts as half an hour older for every place that its feed has it
 * below the first, and a digest as half a day older. In each part, further groups of a theme that was shown twice move
 * down. Two groups keep their order while no report comes or goes.
 */
import { HOUR, MINUTE } from '../../lib/time.ts';
import { isDigest } from '../grouping/report-form.ts';
import { stemOf } from '../grouping/stems.ts';

export interface Rankable {
  id: number;
  /** Number of outlets. */
  outlets: number;
  /** The instant of the latest report, epoch milliseconds. */
  newestAt: number;
  /** Whether grouping suggests it as perhaps the same as another one. */
  isSuggested: boolean;
  /** The first place that a report of it had in its feed, from 0; null if none is known. */
  position: number | null;
  /** The title of one of its reports, with its outlet and its language (BCP 47). */
  title: string;
  outlet: string;
  language: string;
}

/** The place of a group in the order. */
export interface GroupRank {
  /** 2 for an event of two or more outlets, 1 for a suggested report, otherwise 0. */
  tier: number;
  /** The instant, in epoch milliseconds, of a single report that is as strong as the group. */
  score: number;
  id: number;
}

const HALF_LIFE = 12 * HOUR;
const PLACE_DELAY = 30 * MINUTE;
const LAST_PLACE = 24;
/** Feeds that are sorted by date say nothing about importance: their reports are neither first nor last. */
const UNKNOWN_PLACE = 12;

const DIGEST_DELAY = 12 * HOUR;
const THEME_DELAY = HOUR;
const MOST_DELAYS = 12;
/** An editor reads on for no longer. Finding the themes of 1,000 groups takes 5 ms, those of 10,000 take 60 ms. */
const READ_GROUPS = 1_000;

/** Strongest first, each with its rank. @param groups all of the window: the place of each depends on the others */
export function rankGroups<Group extends Rankable>(groups: readonly Group[]): (Group & GroupRank)[] {
  const ranked = groups.map((group) => ({ ...group, ...strengthOf(group) })).sort(compareRanks);
  const read = ranked.slice(0, READ_GROUPS);
  const shown = new Map(findThemes(read).map((theme) => [theme, 0]));
  // A group that rises only moves others down, so that no page of the list misses one.
  for (const group of read) {
    const themes = wordsOf(group.title).filter((word) => shown.has(word));
    const before = Math.max(0, ...themes.map((theme) => shown.get(theme) ?? 0));
    for (const theme of themes) shown.set(theme, (shown.get(theme) ?? 0) + 1);
    group.score -= THEME_DELAY * Math.min(Math.max(before - 1, 0), MOST_DELAYS);
    if (group.outlets === 1 && isDigest(group.title, null)) group.score -= DIGEST_DELAY;
  }
  return ranked.sort(compareRanks);
}

function strengthOf({ outlets, newestAt, position, isSuggested }: Rankable): Omit<GroupRank, 'id'> {
  if (outlets > 1) return { tier: 2, score: Math.round(newestAt + HALF_LIFE * Math.log2(outlets)) };
  return { tier: Number(isSuggested), score: newestAt - PLACE_DELAY * Math.min(position ?? UNKNOWN_PLACE, LAST_PLACE) };
}

/** Negative if `a` comes first. The id, which is unique, decides in the end. */
export function compareRanks(a: GroupRank, b: GroupRank): number {
  return b.tier - a.tier || b.score - a.score || a.id - b.id;
}

/** Share of the groups, number of groups and of outlets from which a word of their titles is a theme. */
const THEME = { share: 0.05, groups: 5, outlets: 3 };
/** Headlines of all subjects have these words. */
const NO_THEMES: ReadonlySet<string> = new Set(['says', 'said', 'news', 'live']);

function findThemes(groups: readonly Rankable[]): string[] {
  const uses = groups.flatMap(({ title, outlet, language }) =>
    wordsOf(title).map((word) => ({ word, outlet, language })),
  );
  return [...Map.groupBy(uses, ({ word }) => word)].flatMap(([word, found]) => {
    const isCommon = found.length >= Math.max(THEME.groups, groups.length * THEME.share);
    if (!isCommon || new Set(found.map(({ outlet }) => outlet)).size < THEME.outlets || NO_THEMES.has(word)) return [];
    const language = found[0]?.language.split('-', 1)[0]?.toLowerCase() ?? '';
    return stemOf(word, language) === null ? [] : word;
  });
}

/** Titles of languages without spaces between words have no words that others have. */
function wordsOf(title: string): string[] {
  return [...new Set(title.toLowerCase().match(/\p{L}{4,}/gu))];
}
