/**
 * Composes the edition of a draft: page, preview, checks, test copies and the hash of an approval come from that. What
 * an editor approves is composed again then, so that a stale one is never approved. Nothing is closed or recorded.
 */
import { randomBytes } from 'node:crypto';
import type { AppContext } from '../../core/app-context.ts';
import { sha256 } from '../../lib/sha256.ts';
import { type ComposedEdition, type CompositionOptions, composeEdition } from '../compose.ts';
import { type ArrangedEdition, arrangeEdition } from '../selection/arrange.ts';
import { countStories } from '../selection/selection.ts';
import { editionHash } from './approval.ts';
import type { Draft } from './decisions.ts';
import type { DraftTarget } from './draft-target.ts';

/** The stories of a draft, as a page shows them and an edition is composed of them. */
export interface DraftArrangement {
  /** The instant for which they were arranged, epoch milliseconds. */
  at: number;
  arranged: ArrangedEdition;
}

/**
 * Arranges the draft of a slot.
 * @param closeAt when it would close, epoch milliseconds; default: now, or at its slot if that is yet to come
 */
export async function arrangeDraft(
  { store, config, clock }: Pick<AppContext, 'store' | 'config' | 'clock'>,
  { newsletter, slot, edition }: DraftTarget,
  closeAt?: number,
): Promise<DraftArrangement> {
  // Articles under embargo until then will be public.
  const at = closeAt ?? Math.max(clock(), slot.slotAt);
  const options = { slot, cutoffAt: at, now: at, reissueOf: edition };
  return { at, arranged: await arrangeEdition(store.db, config, newsletter, options) };
}

export interface DraftComposition {
  kind: 'composed';
  /** Hash of its HTML, text, subject and segments: the same bytes have the same id in every process. */
  id: string;
  composed: ComposedEdition;
  /** Stories; several reports of one event count once. */
  stories: number;
  /** Whether it has fewer stories than the newsletter's minimum: its slot would be skipped. */
  isSkipped: boolean;
  /** In the revision that was composed. */
  draft: Draft;
  /** Hash by `editionHash` of the content that an approval covers. */
  hash: string;
}

/** There is nothing to show: no story, or the edition is closed. In one line. */
export interface EmptyComposition {
  kind: 'empty';
  reason: string;
}

/**
 * Composes an edition as it would close, also with fewer stories than the newsletter's minimum.
 * @param options.arrangement of the draft; default: it is arranged now
 * @param minimumStories with fewer, it is empty
 * @throws Error if a template is invalid
 */
export async function composeDraft(
  app: AppContext,
  target: DraftTarget,
  { arrangement, render }: { arrangement?: DraftArrangement | undefined } & Pick<CompositionOptions, 'render'> = {},
  minimumStories = 1,
): Promise<DraftComposition | EmptyComposition> {
  const { store, config, templates } = app;
  const { newsletter, slot } = target;
  const closed: EmptyComposition = { kind: 'empty', reason: `the edition of ${slot.label} is closed` };
  if (target.edition !== null) return closed;
  const { at, arranged } = arrangement ?? (await arrangeDraft(app, target));
  const nonce = randomBytes(16).toString('hex');
  const composed = await composeEdition(
    store,
    config,
    templates,
    { ...newsletter, minimumStories },
    { slot, cutoffAt: at, now: at, nonce, render, arranged },
  );
  if (composed.kind === 'closed') return closed;
  if (composed.kind === 'skipped') return { kind: 'empty', reason: composed.reason };
  const { draft, loaded } = arranged;
  const bytes = [composed.html, composed.text, composed.subject, JSON.stringify(composed.segments)];
  const stories = composed.articles.map(({ articleId: id, block, digest }) => ({ id, block, digest }));
  return {
    kind: 'composed',
    id: sha256(bytes.join('\0').replaceAll(nonce, '')).slice(0, 32),
    composed,
    stories: stories.filter(({ block }) => block !== 'also').length,
    isSkipped: countStories(loaded.plan) < newsletter.minimumStories,
    draft,
    hash: editionHash(draft.decisions, stories),
  };
}
