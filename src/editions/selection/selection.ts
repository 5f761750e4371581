/**
 * Selects the stories of each block. Pure, and independent of the order of its input: every candidate ends up in
 * exactly one block, or among those that were dropped or did not fit. The reasons are in
 * docs/decisions/2026-11-24-lead.md and docs/decisions/2026-11-27-drafts.md.
 */
import type { NewsletterConfig } from '../../core/config/config.ts';
import { type Decisions, type DraftBlock, NO_DECISIONS, type StoryDecision } from '../draft/decisions.ts';
import {
  byImportance,
  groupByEvent,
  membersOf,
  mostReportedFirst,
  newestFirst,
  type RankingRules,
  type RoundupGroup,
  type StoryCandidate,
  takeAcrossDays,
  takeNewest,
} from './ranking.ts';
import type { EditionWindow } from './window.ts';

/** `also`: reports of the same event by other outlets, credited below the roundup item that was first. */
export type Block = DraftBlock | 'also';

/** The selected stories. Each block is in display order. */
export interface EditionPlan {
  lead: StoryCandidate | null;
  news: StoryCandidate[];
  analysis: StoryCandidate[];
  roundup: RoundupGroup[];
  latest: StoryCandidate[];
  /** Eligible for the next edition, until they pass the age limit. */
  didNotFit: StoryCandidate[];
  /** The editor dropped them. */
  dropped: StoryCandidate[];
  /** Ids of stories that came into a block after an editor had ordered it: they are below the others. */
  arrivals: string[];
}

export interface SelectionRules extends RankingRules {
  window: EditionWindow;
  blocks: NewsletterConfig['blocks'];
  /** Whether the limits of blocks apply to the editor's stories, too: the email would be too large otherwise. */
  isSizeLimited?: boolean;
}

/** What the editor decided about stories; `NO_DECISIONS` has neither. */
export type StoryDecisions = Pick<Decisions, 'blocks' | 'stories'>;

/** News of more hours than these are not of one day: no day may fill the block alone. */
const MANY_HOURS = 48;

/**
 * Assigns each story to at most one block:
 * - lead: the most important of the newsroom's own stories
 * - news: briefs and features of the window's last part
 * - analysis: analyses
 * - roundup: roundup items, one per event
 * - latest: the newsroom's remaining stories. Never roundup items: a bare headline would credit no outlet
 *
 * A block that cannot hold all takes pinned stories first, then the newest; in a weekly edition, news and analyses of
 * each day in turn. The roundup prefers events that more outlets reported. Decisions of the editor come first: a
 * dropped story is in no block, a placed one is in its block, and a block with an order shows its stories in that order
 * and new ones below, as far as it has room.
 */
export function selectStories(
  candidates: readonly StoryCandidate[],
  rules: SelectionRules,
  decisions: StoryDecisions = NO_DECISIONS,
): EditionPlan {
  const { window, blocks } = rules;
  const desk = new Desk(decisions, rules.isSizeLimited === true);
  const dropped = candidates.filter((c) => desk.decisionOn(c)?.kind === 'dropped').sort(newestFirst);
  const pool = candidates
    .filter((c) => desk.decisionOn(c)?.kind !== 'dropped')
    .map((c) => (desk.isPinned(c) ? { ...c, pinned: true } : c));
  const own = pool.filter((c) => c.kind !== 'roundup-item').sort(byImportance(rules));
  const lead = desk.lead(own);
  const others = own.filter((c) => c !== lead);

  const isNews = (c: StoryCandidate): boolean =>
    (c.kind === 'brief' || c.kind === 'feature') && c.publishedAt >= window.newsFrom && c.publishedAt < window.until;
  const take = window.newsHours > MANY_HOURS ? takeAcrossDays(rules, window.until) : takeNewest;
  const news = desk.fill('news', others, { suits: isNews, limit: blocks.news, take });
  const analysis = desk.fill('analysis', others, {
    suits: ({ kind }) => kind === 'analysis',
    limit: blocks.analysis,
    take,
  });
  const shown = new Set([...news, ...analysis]);
  const remaining = others.filter((c) => !shown.has(c));
  const latest = desk.fill('latest', remaining, { suits: () => true, limit: blocks.latest, take: takeNewest });
  for (const c of latest) shown.add(c);

  const events = groupByEvent(pool.filter((c) => c.kind === 'roundup-item'));
  // A story of the newsroom's own is no other outlet's report of an event: it is an item by itself.
  const moved = others
    .filter((c) => desk.blockOf(c) === 'roundup')
    .map((first) => ({ first, also: [], outletCount: 1 }));
  const roundup = desk.fillRoundup([...events, ...moved], blocks.roundup);
  for (const c of roundup.flatMap(membersOf)) shown.add(c);
  return {
    lead,
    ...{ news, analysis, roundup, latest },
    didNotFit: pool.filter((c) => c !== lead && !shown.has(c)).sort(newestFirst),
    dropped,
    arrivals: desk.arrivals,
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

/** Each story with the other reports of its event. @param stories in the order of `placedStories` */
export function groupReports<T extends { block: Block }>(stories: readonly T[]): [first: T, ...also: T[]][] {
  const groups: [T, ...T[]][] = [];
  for (const story of stories) {
    const last = groups.at(-1);
    if (story.block === 'also' && last !== undefined) last.push(story);
    else groups.push([story]);
  }
  return groups;
}

/**
 * All stories in the order in which a headline names them: the lead, news and analysis by importance, the roundup, the
 * latest. Of an event, its first report.
 */
export function leadingStories(plan: EditionPlan, rules: RankingRules): StoryCandidate[] {
  const prominent = [...plan.news, ...plan.analysis].sort(byImportance(rules));
  const own = plan.lead === null ? prominent : [plan.lead, ...prominent];
  return [...own, ...plan.roundup.map((group) => group.first), ...plan.latest];
}

/** Fills blocks by the editor's decisions first. */
class Desk {
  readonly #orders: StoryDecisions['blocks'];
  readonly #decisions: ReadonlyMap<string, StoryDecision>;
  readonly #isSizeLimited: boolean;
  readonly #listed = new Map<string, DraftBlock>();
  readonly arrivals: string[] = [];

  constructor(decisions: StoryDecisions, isSizeLimited: boolean) {
    this.#orders = decisions.blocks;
    this.#decisions = new Map(Object.entries(decisions.stories));
    this.#isSizeLimited = isSizeLimited;
    for (const block of ['news', 'analysis', 'roundup', 'latest'] as const) {
      for (const id of decisions.blocks[block] ?? []) if (!this.#listed.has(id)) this.#listed.set(id, block);
    }
  }

  decisionOn({ id }: StoryCandidate): StoryDecision | undefined {
    return this.#decisions.get(id);
  }

  isPinned(c: StoryCandidate): boolean {
    return this.decisionOn(c)?.kind === 'pinned';
  }

  /** The block where the editor placed it, or null. */
  #placedIn(c: StoryCandidate): DraftBlock | null {
    const decision = this.decisionOn(c);
    if (decision?.kind !== 'placed') return null;
    return c.kind === 'roundup-item' && decision.block !== 'roundup' ? null : decision.block;
  }

  /** The block where the editor placed it, or whose order names it; else null. */
  blockOf(c: StoryCandidate): DraftBlock | null {
    const placed = this.#placedIn(c);
    if (placed !== null) return placed;
    const listed = this.#listed.get(c.id) ?? null;
    return (listed === 'roundup') === (c.kind === 'roundup-item') ? listed : null;
  }

  /** @param own the newsroom's own stories, most important first */
  lead(own: readonly StoryCandidate[]): StoryCandidate | null {
    const isFree = (c: StoryCandidate): boolean => [null, 'lead'].includes(this.#placedIn(c));
    const [named] = (this.#orders.lead ?? []).flatMap((id) => own.filter((c) => c.id === id && isFree(c)));
    return named ?? own.find((c) => this.#placedIn(c) === 'lead') ?? own.find(isFree) ?? own[0] ?? null;
  }

  /** @param stories those that are in no block yet */
  fill(
    block: 'news' | 'analysis' | 'latest',
    stories: readonly StoryCandidate[],
    options: { suits: (c: StoryCandidate) => boolean; limit: number; take: typeof takeNewest },
  ): StoryCandidate[] {
    const { suits, limit } = options;
    const belongs = (c: StoryCandidate): boolean => {
      const own = this.blockOf(c);
      // A story whose block has no room for it, or that is no longer the lead, goes where it suits.
      const isFree = own === null || own === 'lead' || (block === 'latest' && this.#placedIn(c) === null);
      return own === block || (isFree && suits(c));
    };
    return this.#fillBlock(block, stories.filter(belongs), limit, { members: (c) => [c], take: options.take });
  }

  fillRoundup(groups: readonly RoundupGroup[], limit: number): RoundupGroup[] {
    const mostReported = (some: readonly RoundupGroup[], n: number) => some.toSorted(mostReportedFirst).slice(0, n);
    return this.#fillBlock('roundup', groups, limit, { members: membersOf, take: mostReported });
  }

  #fillBlock<T>(
    block: DraftBlock,
    entries: readonly T[],
    limit: number,
    { members, take }: { members: (entry: T) => StoryCandidate[]; take: (some: readonly T[], limit: number) => T[] },
  ): T[] {
    const order = this.#orders[block];
    const ranks = new Map(order?.map((id, rank) => [id, rank]));
    const isDecided = ({ id }: StoryCandidate): boolean => ranks.has(id) || this.#decisions.has(id);
    // One pass over the candidates, of which there can be 100,000.
    const decided = entries.filter((entry) => members(entry).some(isDecided));
    const rank = (entry: T): number =>
      Math.min(...members(entry).map(({ id }) => ranks.get(id) ?? Number.POSITIVE_INFINITY));
    const isPlaced = (entry: T): boolean => members(entry).some((c) => this.#placedIn(c) === block);
    // Beyond the limit, too.
    const isKept = (entry: T): boolean =>
      !this.#isSizeLimited && (isPlaced(entry) || members(entry).some((c) => this.isPinned(c)));
    const ordered = decided
      .filter((entry) => isPlaced(entry) || Number.isFinite(rank(entry)))
      .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
    const isOrdered = new Set(ordered);
    const pinned = decided.filter((entry) => !isOrdered.has(entry) && isKept(entry));
    let room = limit - pinned.length - ordered.filter(isKept).length;
    const kept = ordered.filter((entry) => isKept(entry) || room-- > 0);
    const before = new Set([...ordered, ...pinned]);
    const rest = before.size === 0 ? entries : entries.filter((entry) => !before.has(entry));
    const taken = take(rest, Math.max(0, limit - pinned.length - kept.length));
    const arrived = pinned.length === 0 ? taken : take([...pinned, ...taken], Number.POSITIVE_INFINITY);
    if (order !== undefined) this.arrivals.push(...arrived.flatMap(members).map(({ id }) => id));
    return [...kept, ...arrived];
  }
}
