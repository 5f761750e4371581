/** Decides where each story is on the front page. Pure. A story is in one place only. */
import type { RankingHead } from '../articles/queries.ts';
import {
  byImportance,
  groupByEvent,
  newestFirst,
  type RankingRules,
  type RoundupGroup,
  type StoryCandidate,
} from '../editions/selection/ranking.ts';
import { DAY } from '../lib/time.ts';

/** The newest stories, all of which the first page has. The next page continues after them. */
export const FIRST_PAGE = 30;
const SECOND_RANK = 3;
/** The most important stories, of which those with a picture, and those that editors lead with, come first. */
const SECOND_POOL = 8;
const WIRE = 8;
const OF_SECTION = 3;
/** The newest stories of a section, among which its picture is looked for. */
const SECTION_POOL = 6;
const SECTION_AGE = 7 * DAY;
const ROUNDUP_ITEMS = 6;

/** A story as rankings have it. */
export type FrontStory = StoryCandidate & Pick<RankingHead, 'version'>;

/** Stories in display order. */
export interface FrontPlan {
  /** Empty if there is no story. */
  lead: FrontStory[];
  second: FrontStory[];
  /** The newest others of the last 24 hours. */
  wire: FrontStory[];
  /** Whether the last 24 hours have more than the wire shows. */
  hasMoreNews: boolean;
  sections: { id: string; top: FrontStory; others: FrontStory[] }[];
  /** The rest of the newest. */
  stream: FrontStory[];
}

/**
 * The most important of the last 24 hours lead, by the ranking of editions; where there are too few, older ones follow,
 * newest first.
 * @param heads newest first
 * @param pictured ids of those with a picture
 */
export function placeStories(
  heads: readonly FrontStory[],
  pictured: ReadonlySet<string>,
  rules: RankingRules & { now: number },
): FrontPlan {
  const own = heads.filter(({ kind }) => kind !== 'roundup');
  const recent = own.filter((one) => one.publishedAt >= rules.now - DAY);
  const [lead, ...others] = [...recent.toSorted(byImportance(rules)), ...own.slice(recent.length)];
  const placed = new Set([lead]);
  const free = (stories: readonly FrontStory[]): FrontStory[] => stories.filter((one) => !placed.has(one));
  const place = (stories: FrontStory[]): FrontStory[] => {
    for (const one of stories) placed.add(one);
    return stories;
  };
  const pool = others.slice(0, SECOND_POOL);
  const isLed = (one: FrontStory): boolean => one.pinned || rules.leadKickers.includes(one.kicker ?? '');
  const comesFirst = (one: FrontStory): boolean => pictured.has(one.id) || (isLed(one) && recent.includes(one));
  const bySuit = [...pool.filter(comesFirst), ...pool.filter((one) => !comesFirst(one))];
  const second = place(bySuit.slice(0, SECOND_RANK));
  const news = free(recent);
  const wire = place(news.slice(0, WIRE));
  const sections = rules.sections.flatMap((id) => {
    const ofSection = own.filter((one) => one.section === id && one.publishedAt >= rules.now - SECTION_AGE);
    const newest = free(ofSection);
    const top = newest.slice(0, SECTION_POOL).find((one) => pictured.has(one.id)) ?? newest[0];
    if (top === undefined) return [];
    place([top]);
    return [{ id, top, others: place(free(newest).slice(0, OF_SECTION - 1)) }];
  });
  const stream = free(heads.slice(0, FIRST_PAGE));
  return {
    lead: lead === undefined ? [] : [lead],
    second,
    wire,
    hasMoreNews: news.length > wire.length,
    sections,
    stream,
  };
}

/** Roundup items, each event once with the report that was first; the newest event comes first. */
export function placeRoundup(items: readonly FrontStory[]): RoundupGroup<FrontStory>[] {
  const events = groupByEvent(items);
  return events.sort((a, b) => newestFirst(a.first, b.first)).slice(0, ROUNDUP_ITEMS);
}

export function toFrontStory(head: RankingHead): FrontStory {
  // Spreading rows of a query takes ten times as long.
  const { id, version, publishedAt, kind, kicker, section, eventKey, pinned } = head;
  return { id, version, publishedAt, kind, kicker, section, eventKey, pinned: pinned === 1, outlets: [] };
}
