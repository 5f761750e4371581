/**
 * What the parts of an edition's page are made from.
 */

import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { ArrangedDraft } from '../../draft/arranged-draft.ts';
import type { EditionProblem } from '../../edition-checks/edition-problem.ts';
import type { DraftComposition, EmptyComposition } from '../preview/draft-composition.ts';

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
