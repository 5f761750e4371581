/**
 * The checks of an edition as it would be sent. Looking at a page again does not repeat them: what they read of an
 * edition is what was composed, and of links what was found lately.
 */
import { LRUCache } from 'lru-cache';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { MINUTE, SECOND } from '../../../lib/time.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import type { DraftTarget } from '../../draft/draft-target.ts';
import { checkDraft } from '../../edition-checks/check-draft.ts';
import type { EditionProblem } from '../../edition-checks/edition-problem.ts';
import type { DraftArrangement } from '../../preview.ts';
import { composerOf, type DraftComposition, type EmptyComposition } from '../preview/draft-composition.ts';

/** How long a request of an editor looks links up. */
const LOOK_UP_LIMIT = 10 * SECOND;
/** What changes without the edition: pages of this site, and links that another process looked up. */
const KNOWN_FOR = MINUTE;
const MAX_KNOWN = 100;

const known = new WeakMap<DeskContext, LRUCache<string, EditionProblem[]>>();
const lookUps = new WeakMap<DeskContext, number>();

/** How often an editor has looked links up in this process: what was found of editions before is old. */
export function countLookUps(desk: DeskContext): number {
  return lookUps.get(desk) ?? 0;
}

/**
 * Composes the edition of a draft for its page.
 * @param arrangement of the draft; default: it is arranged now
 * @returns what says why there is nothing to show, also where a template is invalid: the page is needed then, too
 */
export async function composeForPage(
  desk: DeskContext,
  target: DraftTarget,
  arrangement?: DraftArrangement,
): Promise<DraftComposition | EmptyComposition> {
  try {
    return await composerOf(desk).compose(target, arrangement);
  } catch (error) {
    desk.app.log.warn({ err: error, newsletter: target.newsletter.id }, 'a draft cannot be rendered');
    return { kind: 'empty', reason: `the edition cannot be rendered: ${errorLine(error)}` };
  }
}

/** Checks a composed edition; of links, what is known of them, or what their servers answer now. */
export async function checkComposition(
  desk: DeskContext,
  { newsletter, slot }: DraftTarget,
  { composed, id }: DraftComposition,
  links: 'cached' | 'look-up',
): Promise<EditionProblem[]> {
  let cache = known.get(desk);
  if (cache === undefined) {
    cache = new LRUCache({ max: MAX_KNOWN, ttl: KNOWN_FOR });
    known.set(desk, cache);
  }
  const key = JSON.stringify([newsletter.id, slot.label, composed.draftRevision, id]);
  const found = links === 'cached' ? cache.get(key) : undefined;
  if (found !== undefined) return found;
  const options = links === 'cached' ? { links } : { links, timeLimitMs: LOOK_UP_LIMIT };
  const problems = await checkDraft(desk.app, newsletter, composed, options);
  cache.set(key, problems);
  if (links === 'look-up') lookUps.set(desk, countLookUps(desk) + 1);
  return problems;
}
