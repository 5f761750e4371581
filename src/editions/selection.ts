/**
 * Selects the stories of each block. Pure, and independent of the order of its input: every candidate ends up in
 * exactly one block, or among those that did not fit. The reasons are in docs/decisions/2026-11-24-lead.md.
 */
import type { NewsletterConfig } from '../config/config.ts';
import type { StoryCandidate } from './candidates.ts';
import type { EditionWindow } from './window.ts';

/** `also`: reports of the same event by other outlets, credited below the roundup item that was first. */
export type Block = 'lead' | 'news' | 'analysis' | 'roundup' | 'also' | 'latest';

/** Roundup items of one event, by time of publication. */
interface RoundupGroup {
  first: StoryCandidate;
  also: StoryCandidate[];
}

/** The selected stories. Each block is in display order. */
export interface EditionPlan {
  lead: StoryCandidate | null;
  news: StoryCandidate[];
  analysis: StoryCandidate[];
  roundup: RoundupGroup[];
  latest: StoryCandidate[];
  /** Eligible for the next edition, until they pass the age limit. */
  didNotFit: StoryCandidate[];
}

/** What ranks stories by importance. */
interface RankingRules {
  /** Most important first. */
  leadKickers: readonly string[];
  /** Section ids, most important first. */
  sections: readonly string[];
}

export interface SelectionRules extends RankingRules {
  window: EditionWindow;
  blocks: NewsletterConfig['blocks'];
}

/**
 * Assigns each story to at most one block:
 * - lead: the most important of the newsroom's own stories
 * - news: briefs and features of the last 24 hours
 * - analysis: analyses
 * - roundup: roundup items, one per event
 * - latest: the newsroom's remaining stories. Never roundup items: a bare headline would credit no outlet
 *
 * A block that cannot hold all takes pinned stories first, then the newest; the roundup prefers events that more
 * outlets reported.
 */
export function selectStories(candidates: readonly StoryCandidate[], rules: SelectionRules): EditionPlan {
  const { window, blocks } = rules;
  const own = candidates.filter((c) => c.kind !== 'roundup-item').sort(byImportance(rules));
  const [lead = null, ...others] = own;

  const isNews = (c: StoryCandidate): boolean =>
    (c.kind === 'brief' || c.kind === 'feature') && c.publishedAt >= window.newsFrom && c.publishedAt < window.until;
  const news = take(others.filter(isNews), blocks.news);
  const analysis = take(
    others.filter((c) => c.kind === 'analysis'),
    blocks.analysis,
  );
  const shown = new Set([...news, ...analysis]);
  const latest = take(
    others.filter((c) => !shown.has(c)),
    blocks.latest,
  );
  for (const c of latest) shown.add(c);

  const groups = groupByEvent(candidates.filter((c) => c.kind === 'roundup-item')).sort(mostReportedFirst);
  const left = groups.slice(blocks.roundup).flatMap((group) => [group.first, ...group.also]);
  return {
    lead,
    news,
    analysis,
    roundup: groups.slice(0, blocks.roundup),
    latest,
    didNotFit: [...others.filter((c) => !shown.has(c)), ...left].sort(newestFirst),
  };
}

/** Number of stories in the edition; an event counts once, however many outlets reported it. */
export function countStories(plan: EditionPlan): number {
  const { lead, news, analysis, roundup, latest } = plan;
  return (lead === null ? 0 : 1) + news.length + analysis.length + roundup.length + latest.length;
}

/** All stories of the plan with their blocks, in display order. */
export function placedStories(plan: EditionPlan): { block: Block; story: StoryCandidate }[] {
  const placed = (block: Block, stories: StoryCandidate[]) => stories.map((story) => ({ block, story }));
  return [
    ...placed('lead', plan.lead === null ? [] : [plan.lead]),
    ...placed('news', plan.news),
    ...placed('analysis', plan.analysis),
    ...plan.roundup.flatMap((group) => [...placed('roundup', [group.first]), ...placed('also', group.also)]),
    ...placed('latest', plan.latest),
  ];
}

/**
 * The one or two stories in the edition's headline: the lead, then the most important story of news and analysis;
 * otherwise the first roundup item; otherwise the first of the latest.
 */
export function leadingStories(plan: EditionPlan, rules: RankingRules): StoryCandidate[] {
  const prominent = [...plan.news, ...plan.analysis].sort(byImportance(rules));
  const own = plan.lead === null ? prominent : [plan.lead, ...prominent];
  return [...own, ...plan.roundup.map((group) => group.first), ...plan.latest].slice(0, 2);
}

function take(stories: StoryCandidate[], limit: number): StoryCandidate[] {
  return stories
    .toSorted((a, b) => Number(b.pinned) - Number(a.pinned) || newestFirst(a, b))
    .slice(0, limit)
    .sort(newestFirst);
}

/** Groups items by event key; an item without one is a group by itself. */
function groupByEvent(items: StoryCandidate[]): RoundupGroup[] {
  const oldestFirst = items.toSorted((a, b) => newestFirst(b, a));
  const groups = Map.groupBy(oldestFirst, (item) => item.eventKey ?? item);
  return [...groups.values()].map(([first, ...also]) => ({ first: first as StoryCandidate, also }));
}

function mostReportedFirst(a: RoundupGroup, b: RoundupGroup): number {
  const pinned = (group: RoundupGroup): number => Number([group.first, ...group.also].some((c) => c.pinned));
  return pinned(b) - pinned(a) || b.also.length - a.also.length || newestFirst(a.first, b.first);
}

/** Orders by importance: pinned stories, newest first; then by kicker, then by section, then newest first. */
function byImportance(rules: RankingRules): (a: StoryCandidate, b: StoryCandidate) => number {
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

/** The id, which is unique, decides between stories of the same instant. */
function newestFirst(a: StoryCandidate, b: StoryCandidate): number {
  return b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
