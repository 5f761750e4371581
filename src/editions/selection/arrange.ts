/**
 * Chooses and arranges the stories of an edition by the rules of its newsletter and the editor's draft. Reads the
 * store and renders nothing.
 */
import type { Config } from '../../core/config/config.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import type { Db } from '../../core/store/store.ts';
import { changedStories, type StoryBasis, storyBasis, voidReason } from '../draft/approval.ts';
import type { Draft, DraftState } from '../draft/decisions.ts';
import { listDropsWithoutEdition, readDraft } from '../draft/draft-store.ts';
import { type Edition, type EditionSummary, lastEdition } from '../queries.ts';
import type { EditionSlot } from '../slot.ts';
import { findCandidates } from './candidates.ts';
import { type LoadedStories, type LoadOptions, loadStories } from './load-stories.ts';
import type { SelectionRules } from './selection.ts';
import { type EditionWindow, editionWindow } from './window.ts';

export interface ArrangementOptions {
  slot: EditionSlot;
  /** Stories published before this instant are eligible. An instant after `now` counts as `now`. */
  cutoffAt: number;
  now: number;
  /** The newest revision of a closed edition, to compose the next one: with its number, slot, cut-off and stories. */
  reissueOf?: Edition | null | undefined;
}

/** How an approved edition differs from what was approved. */
export interface ApprovalStatus {
  by: string;
  /** Ids of approved stories whose content has changed since. */
  changed: string[];
  /** Ids of approved stories that can no longer be shown. */
  gone: string[];
  /** Why the approval does not count; null while it does. */
  voided: string | null;
}

export interface ArrangedEdition {
  draft: Draft;
  /** The newsletter's edition before this one; null if this is its first. */
  last: EditionSummary | null;
  cutoffAt: number;
  window: EditionWindow;
  loading: Omit<LoadOptions, 'excerpts'>;
  loaded: LoadedStories;
  /** Null unless the draft is approved. */
  approval: ApprovalStatus | null;
}

/** Arranges the stories of a slot, however few they are. */
export async function arrangeEdition(
  db: Db,
  config: Config,
  newsletter: NewsletterConfig,
  { slot, now, reissueOf = null, ...options }: ArrangementOptions,
): Promise<ArrangedEdition> {
  const last = await lastEdition(db, newsletter.id, reissueOf?.number);
  // An article under embargo must wait, even before a later cut-off.
  const cutoffAt = reissueOf?.cutoffAt ?? Math.min(options.cutoffAt, now);
  const byAge = editionWindow(cutoffAt, last?.cutoffAt ?? null, newsletter);
  // The article of an alert may be of any age, and all others that it does not have are none that it missed.
  const window = newsletter.kind === 'alert' ? { ...byAge, from: 0, unseenFrom: 0 } : byAge;
  const rules = selectionRules(config, newsletter, window);
  const draft = await readDraft(db, newsletter.id, slot);
  const carried = await listDropsWithoutEdition(db, newsletter.id, {
    after: last?.slotAt ?? null,
    before: slot.slotAt,
  });
  const load = async (basis: StoryBasis): Promise<Pick<ArrangedEdition, 'loading' | 'loaded'>> => {
    const candidates = await findCandidates(db, {
      ...{ newsletter: newsletter.id, select: newsletter.select, window, basis },
      lastEditionId: last?.id ?? null,
      reissuedNumber: reissueOf?.number ?? null,
      ruleOutlets: newsletter.autoPick ?? null,
    });
    const loading = { config, newsletter, rules, now, decisions: basis.decisions };
    return { loading, loaded: await loadStories(db, candidates, { ...loading, excerpts: 'full' }) };
  };
  const arranged = { draft, last, cutoffAt, window };
  const stories = await load(basisOf(draft, newsletter, carried));
  if (draft.state.kind !== 'approved') return { ...arranged, ...stories, approval: null };
  const approval = approvalStatus(draft.state, stories.loaded, newsletter);
  if (approval.voided === null) return { ...arranged, ...stories, approval };
  // The other decisions of the draft apply.
  const others = basisOf({ ...draft, state: { kind: 'automatic' } }, newsletter, carried);
  return { ...arranged, ...(await load(others)), approval };
}

function approvalStatus(
  { by, stories }: Extract<DraftState, { kind: 'approved' }>,
  { placed }: LoadedStories,
  { minimumStories }: NewsletterConfig,
): ApprovalStatus {
  const shown = placed.map(({ stored }) => stored);
  const available = new Set(shown.map(({ articleId }) => articleId));
  return {
    by,
    changed: changedStories(stories, shown),
    gone: stories.filter(({ id }) => !available.has(id)).map(({ id }) => id),
    voided: voidReason(stories, available, minimumStories),
  };
}

/** An alert has the article that it was made for, and nothing else. */
function basisOf(draft: Draft, { kind }: NewsletterConfig, carried: readonly string[]): StoryBasis {
  const basis = storyBasis(draft, carried);
  if (kind === 'roundup' || basis.only !== null) return basis;
  return { ...basis, only: (draft.decisions.blocks.lead ?? []).slice(0, 1) };
}

function selectionRules(config: Config, newsletter: NewsletterConfig, window: EditionWindow): SelectionRules {
  const { leadKickers, sections } = config;
  return { window, blocks: newsletter.blocks, leadKickers, sections: sections.map((section) => section.id) };
}
