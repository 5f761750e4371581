/**
 * The draft of an edition as an editor sees it: numbered stories, what is left out and why, and the editor's decisions.
 */
import { findArticles } from '../../articles/queries.ts';
import type { AppContext } from '../../core/app-context.ts';
import { checkDraft } from '../edition-checks/check-draft.ts';
import type { EditionProblem } from '../edition-checks/edition-problem.ts';
import { composeUnrecorded, type NotComposed } from '../preview.ts';
import type { ApprovalStatus } from '../selection/arrange.ts';
import { type LeftOutArticle, listLeftOut } from '../selection/left-out.ts';
import type { Block } from '../selection/selection.ts';
import type { EditionWindow } from '../selection/window.ts';
import { approvalHash } from './approval.ts';
import { type Draft, fieldValue, type StoryDecision } from './decisions.ts';
import { readDraft } from './draft-store.ts';
import type { DraftTarget } from './draft-target.ts';
import { writeDraftView } from './draft-views.ts';

export interface DraftStory {
  /** What commands may name it by, from 1. */
  number: number;
  id: string;
  block: Block;
  headline: string;
  /** What the editor decided about it. */
  decision: StoryDecision['kind'] | null;
  /** Whether it came into its block after an editor had ordered it. */
  isNew: boolean;
  /** Whether its content has changed since the approval. */
  isChanged: boolean;
}

export interface ShownDraft {
  kind: 'shown';
  newsletter: string;
  slot: string;
  slotAt: number;
  window: EditionWindow;
  state: Draft['state'];
  approval: ApprovalStatus | null;
  /** Of the newsletter. */
  isApprovalRequired: boolean;
  revision: number;
  closeAt: number | null;
  /** Null where there is no story. */
  subject: string | null;
  preheader: string | null;
  note: string | null;
  /** What an editor wrote instead of the automatic texts. */
  edited: ('subject' | 'preheader' | 'note')[];
  stories: DraftStory[];
  leftOut: LeftOutArticle[];
  olderArticles: number;
  /** Whether the slot would be skipped: it has fewer stories than the newsletter's minimum. */
  isSkipped: boolean;
  /** What an editor should correct; of links, what was found when they were looked up last. */
  problems: EditionProblem[];
}

/**
 * Composes the edition of a draft, lists it, and records that the editor has seen it.
 * @param editor null: nothing is recorded
 */
export async function showDraft(
  app: AppContext,
  { newsletter, slot }: DraftTarget,
  editor: string | null,
): Promise<ShownDraft | NotComposed> {
  const { store, clock } = app;
  const outcome = await composeUnrecorded(app, newsletter, slot.label);
  if (outcome.kind === 'refused') return outcome;
  const { composed, isSkipped } = outcome;
  const draft = await readDraft(store.db, newsletter.id, slot);
  const articles = composed.kind === 'composed' ? composed.articles : [];
  const stories = articles.map(({ articleId: id, block, digest }) => ({ id, block, digest }));
  if (editor !== null && composed.kind === 'composed') {
    const revision = composed.draftRevision;
    // Without a hash if another editor has changed it since it was composed: nobody has seen that, or can approve it.
    const hash = draft.revision === revision ? approvalHash(draft.decisions, stories) : '';
    const view = { revision, hash, stories };
    await writeDraftView(store.db, newsletter.id, slot.label, { editor, view, now: clock() });
  }
  const found = await findArticles(
    store.db,
    stories.map(({ id }) => id),
  );
  const headlines = new Map(found.map(({ id, headline }) => [id, headline]));
  const [arrivals, changed] = [
    new Set(composed.kind === 'composed' ? composed.arrivals : []),
    new Set(composed.approval?.changed),
  ];
  // An alert has the one article that it was made of: no other was left out.
  const { articles: leftOut, older } =
    newsletter.kind === 'alert' ? { articles: [], older: 0 } : await listLeftOut(store.db, newsletter, composed);
  return {
    kind: 'shown',
    newsletter: newsletter.id,
    slot: slot.label,
    slotAt: slot.slotAt,
    window: composed.window,
    state: draft.state,
    approval: composed.approval,
    isApprovalRequired: newsletter.approval === 'required',
    revision: draft.revision,
    closeAt: draft.closeAt,
    subject: composed.kind === 'composed' ? composed.subject : null,
    preheader: composed.kind === 'composed' ? composed.preheader : null,
    note: draft.decisions.note,
    edited: (['subject', 'preheader', 'note'] as const).filter((field) => draft.decisions[field] !== null),
    stories: stories.map(({ id, block }, index) => ({
      number: index + 1,
      ...{ id, block },
      headline: headlines.get(id) ?? '',
      decision: (fieldValue(draft, `story:${id}`) as StoryDecision | null)?.kind ?? null,
      isNew: arrivals.has(id),
      isChanged: changed.has(id),
    })),
    leftOut,
    olderArticles: older,
    isSkipped,
    problems: composed.kind === 'composed' ? await checkDraft(app, newsletter, composed, { links: 'cached' }) : [],
  };
}
