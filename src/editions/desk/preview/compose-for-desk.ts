/** Composes drafts for pages of the desk. */
import { LRUCache } from 'lru-cache';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { ThreadPool } from '../../../lib/threads/thread-pool.ts';
import { MINUTE } from '../../../lib/time.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import {
  composeDraft,
  type DraftArrangement,
  type DraftComposition,
  type EmptyComposition,
} from '../../draft/compose-draft.ts';
import type { DraftTarget } from '../../draft/draft-target.ts';
import { renderInPool } from '../../rendering/render-in-thread.ts';

/**
 * Stays for as long as editors work: a thread that has ended costs the next preview almost two seconds, since it loads
 * MJML again. It holds 40 to 70 MB.
 */
const POOL = new ThreadPool(1, 30 * MINUTE);

export const renderForDesk = renderInPool(POOL);

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
