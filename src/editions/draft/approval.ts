/** What an approval covers, and when it is void. Pure. */
import { sha256 } from '../../lib/sha256.ts';
import { groupReports } from '../selection/selection.ts';
import {
  type Decisions,
  DRAFT_BLOCKS,
  type Draft,
  type DraftBlock,
  type ListedStory,
  type StoryDecision,
} from './decisions.ts';

/** Identifies decisions and stories: an edition that an editor has seen, without the texts of its stories. */
export function approvalHash(decisions: Decisions, stories: readonly ListedStory[]): string {
  const content = JSON.stringify([decisions, stories.map(({ id, block }) => [id, block])]);
  return sha256(content).slice(0, 16);
}

/**
 * Identifies an edition that an editor has seen, with the texts of its stories: `approvalHash`, and after a point what
 * changes with a story's content.
 */
export function editionHash(decisions: Decisions, stories: readonly ListedStory[]): string {
  const contents = JSON.stringify(stories.map(({ id, digest }) => [id, digest]));
  return `${approvalHash(decisions, stories)}.${sha256(contents).slice(0, 16)}`;
}

/** From which stories an edition is made, and what the editor decided about them. */
export interface StoryBasis {
  decisions: Pick<Decisions, 'blocks' | 'stories'>;
  /** Only these can be in it; null: all that are eligible. */
  only: readonly string[] | null;
  /** Stories that the editor brought in, eligible or not. */
  added: readonly string[];
}

/**
 * - An approved draft has exactly the stories that were approved, in their places.
 * - A closed one has the stories of its edition, and what the editor has changed since, for a reissue.
 * - Any other has what is eligible, arranged by the editor's decisions.
 * @param carried ids of stories that were dropped from an earlier slot which has no edition
 */
export function storyBasis(
  { state, decisions }: Pick<Draft, 'state' | 'decisions'>,
  carried: readonly string[] = [],
): StoryBasis {
  const decided = Object.entries(decisions.stories);
  const added = decided.flatMap(([id, { kind }]) => (kind === 'dropped' ? [] : [id]));
  const earlier = carried.map((id): [string, StoryDecision] => [id, { kind: 'dropped' }]);
  const stories = Object.fromEntries([...earlier, ...decided]);
  switch (state.kind) {
    case 'automatic':
    case 'held':
      return { decisions: { ...decisions, stories }, only: null, added };
    case 'approved': {
      const dropped = Object.entries(stories).filter(([, { kind }]) => kind === 'dropped');
      const places = placesOf(state.stories);
      return {
        decisions: { ...places, stories: { ...Object.fromEntries(dropped), ...places.stories } },
        // Those that were dropped are read, too, so that the edition records them.
        only: [...new Set([...idsOf(state.stories), ...dropped.map(([id]) => id)])],
        added: [],
      };
    }
    case 'closed':
      return {
        decisions: mergePlaces(placesOf(state.stories), decisions),
        only: [...new Set([...idsOf(state.stories), ...added])],
        added,
      };
  }
}

/**
 * Why an approval is void: its lead has gone, or too few of its stories are left. Null while it is valid.
 * @param available ids of the approved stories that can be shown
 */
export function voidReason(
  stories: readonly ListedStory[],
  available: ReadonlySet<string>,
  minimumStories: number,
): string | null {
  const lead = stories.find(({ block }) => block === 'lead');
  if (lead !== undefined && !available.has(lead.id)) return `its lead ${lead.id} is no longer available`;
  // While one report of an event is left, the event is in the edition.
  const events = groupReports(stories);
  const left = events.filter((reports) => reports.some(({ id }) => available.has(id))).length;
  if (left >= minimumStories) return null;
  return `${left} of its ${events.length} stories ${left === 1 ? 'is' : 'are'} left, fewer than ${minimumStories}`;
}

/** The approved stories whose content has changed since. */
export function changedStories(
  stories: readonly ListedStory[],
  shown: readonly { articleId: string; digest: string }[],
): string[] {
  const digests = new Map(stories.map(({ id, digest }) => [id, digest]));
  return shown
    .filter(({ articleId, digest }) => digests.has(articleId) && digests.get(articleId) !== digest)
    .map(({ articleId }) => articleId);
}

function idsOf(stories: readonly ListedStory[]): string[] {
  return stories.map(({ id }) => id);
}

/** The stories' places as decisions. */
function placesOf(stories: readonly ListedStory[]): StoryBasis['decisions'] {
  const placed = stories.map(({ id, block }) => ({ id, block: block === 'also' ? 'roundup' : block }) as const);
  const byBlock = [...Map.groupBy(placed, ({ block }) => block)];
  const blocks: Partial<Record<DraftBlock, string[]>> = Object.fromEntries(
    byBlock.map(([block, members]) => [block, members.map(({ id }) => id)]),
  );
  const decisions = placed.map(({ id, block }): [string, StoryDecision] => [id, { kind: 'placed', block }]);
  // Not by assignment: an id may be any text, such as "__proto__".
  return { blocks, stories: Object.fromEntries(decisions) };
}

function mergePlaces(places: StoryBasis['decisions'], decisions: Decisions): StoryBasis['decisions'] {
  const blocks = { ...places.blocks };
  for (const block of DRAFT_BLOCKS) {
    const order = decisions.blocks[block];
    if (order === undefined) continue;
    const rest = (places.blocks[block] ?? []).filter((id) => !order.includes(id));
    blocks[block] = [...order, ...rest];
  }
  return { blocks, stories: { ...places.stories, ...decisions.stories } };
}
