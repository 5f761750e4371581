/** The automatic orders of stories. All of them are total: the id, which is unique, decides in the end. */
import type { Kind } from '../../articles/article.ts';
import { DAY } from '../../lib/time.ts';

/** The fields of a story that selection uses. */
export interface StoryCandidate {
  id: string;
  kind: Kind;
  kicker: string | null;
  section: string | null;
  eventKey: string | null;
  pinned: boolean;
  publishedAt: number;
  /** Keys of the outlets that the event of a roundup item is credited to; see `outletKey`. */
  outlets: readonly string[];
}

/** The order of importance of kickers and sections. */
export interface RankingRules {
  /** Most important first. */
  leadKickers: readonly string[];
  /** Section ids, most important first. */
  sections: readonly string[];
}

/** Roundup items of one event, by time of publication. */
export interface RoundupGroup<Story extends StoryCandidate = StoryCandidate> {
  first: Story;
  also: Story[];
  /** Number of outlets that reported the event. */
  outletCount: number;
}

/** Newest first; the id decides between stories of the same instant. */
export function newestFirst(a: StoryCandidate, b: StoryCandidate): number {
  return b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** Orders by importance: pinned stories, newest first; then by kicker, then by section, then newest first. */
export function byImportance(rules: RankingRules): (a: StoryCandidate, b: StoryCandidate) => number {
  const rank = (list: readonly string[], value: string | null): number => {
    const index = value === null ? -1 : list.indexOf(value);
    return index < 0 ? list.length : index;
  };
  return (a, b) => {
    if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
    if (a.pinned) return newestFirst(a, b);
    return (
      rank(rules.leadKickers, a.kicker) - rank(rules.leadKickers, b.kicker) ||
      rank(rules.sections, a.section) - rank(rules.sections, b.section) ||
      newestFirst(a, b)
    );
  };
}

/** The automatic choice of a block that cannot hold all: pinned stories, then the newest. Newest first. */
export function takeNewest(stories: readonly StoryCandidate[], limit: number): StoryCandidate[] {
  return stories
    .toSorted((a, b) => Number(b.pinned) - Number(a.pinned) || newestFirst(a, b))
    .slice(0, limit)
    .sort(newestFirst);
}

/**
 * The same for a week: pinned stories, then one of each day in turn, so that the block is not the last day's. Of a day,
 * kickers come first, then the newest; sections do not count, since the edition shows all of them.
 * @param until the end of the last day
 */
export function takeAcrossDays({ leadKickers }: Pick<RankingRules, 'leadKickers'>, until: number): typeof takeNewest {
  return (stories, limit) => {
    const ordered = stories.toSorted(byImportance({ leadKickers, sections: [] }));
    const days = Map.groupBy(ordered, (c) => (c.pinned ? 'pinned' : Math.ceil((until - c.publishedAt) / DAY)));
    const turns = new Map([...days].flatMap(([day, its]) => its.map((c, turn) => [c, day === 'pinned' ? -1 : turn])));
    const turnOf = (c: StoryCandidate): number => turns.get(c) ?? 0;
    return stories
      .toSorted((a, b) => turnOf(a) - turnOf(b) || newestFirst(a, b))
      .slice(0, limit)
      .sort(newestFirst);
  };
}

/** Groups items by event key; an item without one is a group by itself. */
export function groupByEvent<Story extends StoryCandidate>(items: readonly Story[]): RoundupGroup<Story>[] {
  const oldestFirst = items.toSorted((a, b) => newestFirst(b, a));
  const groups = Map.groupBy(oldestFirst, (item) => item.eventKey ?? item);
  return [...groups.values()].map((members) => {
    const [first, ...also] = members as [Story, ...Story[]];
    return { first, also, outletCount: countOutlets(members) };
  });
}

/** An item without an outlet, or stored before its outlets were, is the report of one. */
function countOutlets(members: readonly StoryCandidate[]): number {
  const named = new Set(members.flatMap(({ outlets }) => outlets));
  return named.size + members.filter(({ outlets }) => outlets.length === 0).length;
}

/** Orders events: pinned ones, then those that more outlets reported, then the newest. */
export function mostReportedFirst(a: RoundupGroup, b: RoundupGroup): number {
  const pinned = (group: RoundupGroup): number => Number(membersOf(group).some((c) => c.pinned));
  return pinned(b) - pinned(a) || b.outletCount - a.outletCount || newestFirst(a.first, b.first);
}

/** All reports of the event. */
export function membersOf({ first, also }: RoundupGroup): StoryCandidate[] {
  return [first, ...also];
}
