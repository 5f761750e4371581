/**
 * Which story stands where. Pure, and the same whatever the order of its input: every candidate ends in exactly one block, or
 * among those that did not fit.
 */
import type { NewsletterConfig } from '../config/config.ts';
import type { Candidate } from './candidates.ts';
import { byStrength, type LeadRules, newestFirst } from './lead.ts';
import type { EditionWindow } from './window.ts';

/** `also` holds the reports of an event by further outlets, which stand with the roundup item that came first. */
export type Block = 'lead' | 'news' | 'analysis' | 'roundup' | 'also' | 'latest';

/** Roundup items of one event. */
interface RoundupGroup {
  /** The item that was published first. */
  first: Candidate;
  /** The others, in the order of their publication. */
  also: Candidate[];
}

/** Each block is in the order in which it is shown. */
export interface EditionPlan {
  lead: Candidate | null;
  news: Candidate[];
  analysis: Candidate[];
  roundup: RoundupGroup[];
  latest: Candidate[];
  /** Still eligible for the next edition, until they age out. */
  didNotFit: Candidate[];
}

export interface SelectionRules extends LeadRules {
  window: EditionWindow;
  blocks: NewsletterConfig['blocks'];
}

/**
 * Fills the blocks in the order in which FORMAT lists them; what one block takes is not offered to the next.
 * - lead: the strongest of the newsroom's own stories (see lead.ts)
 * - news: briefs and features of the last 24 hours
 * - analysis: analyses
 * - roundup: roundup items, one a event
 * - latest: what is left of the newsroom's own stories. Roundup items never stand here, where no outlet would be credited
 *
 * Where a block cannot hold all, pinned stories go first, then the newest; of roundup items those that more outlets reported.
 */
export function selectStories(candidates: readonly Candidate[], rules: SelectionRules): EditionPlan {
  const { window, blocks } = rules;
  const own = candidates.filter((c) => c.kind !== 'roundup-item').sort(byStrength(rules));
  const [lead = null, ...others] = own;

  const isNews = (c: Candidate): boolean =>
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

  const groups = groupByEvent(candidates.filter((c) => c.kind === 'roundup-item')).sort(strongestGroupFirst);
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

/** How many stories the edition shows; an event counts once, however many outlets reported it. */
export function countStories(plan: EditionPlan): number {
  const { lead, news, analysis, roundup, latest } = plan;
  return (lead === null ? 0 : 1) + news.length + analysis.length + roundup.length + latest.length;
}

/** Every story of the plan with its block, in the order of the edition. */
export function placedStories(plan: EditionPlan): { block: Block; story: Candidate }[] {
  const placed = (block: Block, stories: Candidate[]) => stories.map((story) => ({ block, story }));
  return [
    ...placed('lead', plan.lead === null ? [] : [plan.lead]),
    ...placed('news', plan.news),
    ...placed('analysis', plan.analysis),
    ...plan.roundup.flatMap((group) => [...placed('roundup', [group.first]), ...placed('also', group.also)]),
    ...placed('latest', plan.latest),
  ];
}

/**
 * The two stories that name the edition: the lead, and the strongest of those that it shows with more than a headline; else its
 * first roundup item; else its first headline.
 */
export function leadingStories(plan: EditionPlan, rules: LeadRules): Candidate[] {
  const told = [...plan.news, ...plan.analysis].sort(byStrength(rules));
  const own = plan.lead === null ? told : [plan.lead, ...told];
  return [...own, ...plan.roundup.map((group) => group.first), ...plan.latest].slice(0, 2);
}

function take(stories: Candidate[], most: number): Candidate[] {
  return stories
    .toSorted((a, b) => Number(b.pinned) - Number(a.pinned) || newestFirst(a, b))
    .slice(0, most)
    .sort(newestFirst);
}

/** Items without an event key stand alone. */
function groupByEvent(items: Candidate[]): RoundupGroup[] {
  const groups = new Map<string, RoundupGroup>();
  const alone: RoundupGroup[] = [];
  for (const item of items.sort((a, b) => newestFirst(b, a))) {
    const group = item.eventKey === null ? undefined : groups.get(item.eventKey);
    if (group !== undefined) group.also.push(item);
    else if (item.eventKey === null) alone.push({ first: item, also: [] });
    else groups.set(item.eventKey, { first: item, also: [] });
  }
  return [...groups.values(), ...alone];
}

function strongestGroupFirst(a: RoundupGroup, b: RoundupGroup): number {
  const pinned = (group: RoundupGroup): number => Number([group.first, ...group.also].some((c) => c.pinned));
  return pinned(b) - pinned(a) || b.also.length - a.also.length || newestFirst(a.first, b.first);
}
