/**
 * What the parts of a draft's page are made from, and their addresses below the desk's path.
 */
import type { DeskRequest, SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { ArrangedDraft } from '../../draft/arranged-draft.ts';
import type { DraftComposition, EmptyComposition } from '../../draft/compose-draft.ts';
import { draftPath, type NamedSlot } from '../../draft/draft-address.ts';
import type { EditionProblem } from '../../edition-checks/edition-problem.ts';

export interface DraftPageView {
  request: SignedInRequest;
  draft: ArrangedDraft;
  /** As the edition would be sent. */
  composition: DraftComposition | EmptyComposition;
  /** What an editor should correct: errors first. */
  problems: EditionProblem[];
  /** Headlines by article id, of the stories and of those that did not fit. */
  headlines: ReadonlyMap<string, string>;
  /** Whether the account may change the draft. */
  mayEdit: boolean;
}

/** A story in words. One that the page does not know is named by its id. */
export function storyName({ headlines }: Pick<DraftPageView, 'headlines'>, id: string): string {
  return headlines.get(id) ?? id;
}

/** What of the address chooses the preview, as a query. */
function previewQuery({ c }: DeskRequest): string {
  const chosen = (['view', 'scheme'] as const).flatMap((name) => {
    const value = c.req.query(name) ?? '';
    return /^[a-z]{1,10}$/.test(value) ? [[name, value] as [string, string]] : [];
  });
  return chosen.length === 0 ? '' : `?${new URLSearchParams(chosen)}`;
}

/** The page on which editors work, with the preview that the request has chosen. */
export function draftPage(request: DeskRequest, target: NamedSlot): string {
  return draftPath(target) + previewQuery(request);
}

/** The address of an act on that page, which leads back to the same preview. */
export function actPath(request: DeskRequest, target: NamedSlot, act: string): string {
  return `${draftPath(target)}/${act}${previewQuery(request)}`;
}

/** The id of a story's row on the page. */
export function rowId(story: string): string {
  return `story-${story}`;
}
