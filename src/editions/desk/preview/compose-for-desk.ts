/** Composes drafts for pages of the desk. */
import { LRUCache } from 'lru-cache';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { MINUTE } from '../../../lib/time.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import {
  composeDraft,
  type DraftArrangement,
  type DraftComposition,
  type EmptyComposition,
} from '../../draft/compose-draft.ts';
import type { DraftTarget } from '../../draft/draft-target.ts';
import { openRenderer } from '../../rendering/render-in-process.ts';

/** Its process stays while an editor works: it holds 90 MB, and without it the next preview takes a second longer. */
export const renderForDesk = openRenderer(1, 5 * MINUTE);

/** By id: a page has just composed what its frame asks for, and composing it again took 40 ms. */
export const recentCompositions = new LRUCache<string, DraftComposition>({ max: 10 });

/**
 * Composes the edition of a draft.
 * @param arrangement of the draft; default: it is arranged now
 * @returns what says why there is nothing to show, also where a template is invalid: the page is needed then, too
 */
export async function composeForPage(
  { app }: DeskContext,
  target: DraftTarget,
  arrangement?: DraftArrangement,
): Promise<DraftComposition | EmptyComposition> {
  try {
    const composition = await composeDraft(app, target, { arrangement, render: renderForDesk });
    if (composition.kind === 'composed') recentCompositions.set(composition.id, composition);
    return composition;
  } catch (error) {
    app.log.warn({ err: error, newsletter: target.newsletter.id }, 'a draft cannot be rendered');
    return { kind: 'empty', reason: `the edition cannot be rendered: ${errorLine(error)}` };
  }
}
