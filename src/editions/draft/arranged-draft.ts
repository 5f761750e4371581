/**
 * The draft of an edition as a page shows it: its stories in their blocks, what did not fit and why, the editor's
 * decisions and their log. Nothing is rendered or recorded, so it takes a few queries, however large the store is.
 */
import type { Article } from '../../articles/article.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import { findRun } from '../../core/schedule/run-ledger.ts';
import type { ClosingObstacle } from '../alert-newsletters/alert-limits.ts';
import { automaticTexts } from '../build-view.ts';
import type { Edition } from '../queries.ts';
import type { ApprovalStatus } from '../selection/arrange.ts';
import { type EditionContents, findLeftOut, type LeftOutStory } from '../selection/left-out.ts';
import { leadingArticles } from '../selection/load-stories.ts';
import { type Block, countStories } from '../selection/selection.ts';
import type { EditionWindow } from '../selection/window.ts';
import { type EditionSlot, newsletterJobId } from '../slot.ts';
import { endOfWaiting, findObstacle } from './closing.ts';
import { arrangeDraft, type DraftArrangement } from './compose-draft.ts';
import { type Draft, fieldValue, type StoryDecision } from './decisions.ts';
import { readDraftLog } from './draft-store.ts';
import { type DraftTarget, describeEndedSlot, type EndedDraft } from './draft-target.ts';
import type { LogEntry } from './history.ts';

export interface ArrangedStory {
  id: string;
  block: Block;
  article: Article;
  /** What the editor decided about it. */
  decision: StoryDecision['kind'] | null;
  /** Whether it came into its block after an editor had ordered it. */
  isNew: boolean;
  /** Whether its content has changed since the approval. */
  isChanged: boolean;
}

export interface ArrangedDraft {
  newsletter: NewsletterConfig;
  slot: EditionSlot;
  /** The newest revision of a closed edition: decisions made since are for the next one. */
  edition: Edition | null;
  draft: Draft;
  /** Oldest entry first. */
  log: LogEntry[];
  window: EditionWindow;
  approval: ApprovalStatus | null;
  /** Why it must not close yet; null if it may, or is closed. */
  obstacle: ClosingObstacle | null;
  /** Why it will no longer close by itself; null if it may. */
  ended: EndedDraft | null;
  /** When a slot that waits is skipped; null while it does not wait. */
  skippedAt: number | null;
  /** In display order. The size limit of an email may leave some of the last ones out. */
  stories: ArrangedStory[];
  /** Stories of one event count once. */
  storyCount: number;
  /** The texts where no editor has written one; null without a story. */
  automatic: { subject: string; preheader: string } | null;
  /** What explains why an article is not in it. */
  contents: EditionContents;
  /** The newest articles that are not in it, and those that were eligible; newest first. */
  leftOut: LeftOutStory[];
  /** Eligible stories without room that are not listed in `leftOut`, because there are too many. */
  furtherLeftOut: number;
}

/** Most stories without room, and most dropped ones, that are listed. */
const MAX_LISTED = 100;

/** Reads what a page shows of a draft. @param arrangement of it; default: it is arranged now */
export async function readArrangedDraft(
  app: Pick<AppContext, 'store' | 'config' | 'clock'>,
  target: DraftTarget,
  arrangement?: DraftArrangement,
): Promise<ArrangedDraft> {
  const { store, config, clock } = app;
  const { newsletter, slot, edition } = target;
  const { draft, window, loading, loaded, approval } = (arrangement ?? (await arrangeDraft(app, target))).arranged;
  const { plan, placed, rejected } = loaded;
  const [arrivals, changed] = [new Set(plan.arrivals), new Set(approval?.changed)];
  const leading = leadingArticles(loaded, loading.rules);
  const contents = {
    ...{ window, rejected },
    shown: placed.map(({ article }) => article.id),
    didNotFit: plan.didNotFit.slice(0, MAX_LISTED).map(({ id }) => id),
    dropped: plan.dropped.slice(0, MAX_LISTED).map(({ id }) => id),
  };
  // An alert has the one article that it was made of: no other was left out.
  const isAlert = newsletter.kind === 'alert';
  const leftOut = isAlert ? [] : await findLeftOut(store.db, newsletter, contents);
  const { closeAt } = draft;
  const run = slot.slotAt > clock() ? null : await findRun(store.db, newsletterJobId(newsletter.id), slot.slotAt);
  const voided = approval?.voided ?? null;
  return {
    ...{ newsletter, slot, edition, draft, window, approval, contents, leftOut },
    log: await readDraftLog(store.db, newsletter.id, slot.label),
    obstacle:
      edition === null ? await findObstacle(store.db, config, newsletter, draft, { voided, now: clock() }) : null,
    ended: await describeEndedSlot(app, target),
    skippedAt: edition === null ? endOfWaiting(config, newsletter, slot, closeAt, run) : null,
    stories: placed.map(({ block, article }) => ({
      ...{ id: article.id, block, article },
      decision: (fieldValue(draft, `story:${article.id}`) as StoryDecision | null)?.kind ?? null,
      isNew: arrivals.has(article.id),
      isChanged: changed.has(article.id),
    })),
    storyCount: countStories(plan),
    automatic: leading.length === 0 ? null : automaticTexts(config, newsletter, loaded, leading),
    furtherLeftOut: isAlert ? 0 : plan.didNotFit.length - contents.didNotFit.length,
  };
}
