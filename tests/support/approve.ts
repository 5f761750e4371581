import type { AppContext } from '../../src/core/app-context.ts';
import { composeDraft } from '../../src/editions/draft/compose-draft.ts';
import type { DraftTarget } from '../../src/editions/draft/draft-target.ts';
import { type DraftEdit, editDraft } from '../../src/editions/draft/edit-draft.ts';

/** Approves the edition of a draft as it is now. */
export async function approveDraft(app: AppContext, target: DraftTarget, editor: string): Promise<DraftEdit> {
  const seen = await composeDraft(app, target);
  if (seen.kind === 'empty') throw new Error(`there is nothing to approve: ${seen.reason}`);
  return editDraft(app, target, editor, { kind: 'approve' }, { seen: { hash: seen.hash } });
}
