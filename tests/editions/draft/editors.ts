/** Editors who change a draft in tests: commands are planned and applied at once, and the log is kept. */
import { approvalHash } from '../../../src/editions/draft/approval.ts';
import { planCommand, type VisibleStory } from '../../../src/editions/draft/commands.ts';
import {
  type Draft,
  type DraftCommand,
  type ListedStory,
  untouchedDraft,
} from '../../../src/editions/draft/decisions.ts';
import {
  type ChangeOutcome,
  changeDraft,
  entryToRedo,
  entryToUndo,
  type LogEntry,
  undoEntry,
  type WantedChange,
} from '../../../src/editions/draft/history.ts';

export const AT = Date.UTC(2026, 10, 23, 20);

/** The edition that the editors see: three briefs, an analysis, and a roundup item. */
const SHOWN: VisibleStory[] = [
  { id: 'cover', block: 'lead', isRoundupItem: false },
  { id: 'n1', block: 'news', isRoundupItem: false },
  { id: 'n2', block: 'news', isRoundupItem: false },
  { id: 'n3', block: 'news', isRoundupItem: false },
  { id: 'a1', block: 'analysis', isRoundupItem: false },
  { id: 'r1', block: 'roundup', isRoundupItem: true },
];

/** What an editor approves. */
export const LISTED: ListedStory[] = SHOWN.map(({ id, block }) => ({ id, block, digest: `digest of ${id}` }));

/** A draft with its log. */
export class Desk {
  draft: Draft = untouchedDraft('daily', '2026-11-24', AT);
  log: LogEntry[] = [];

  /** @param base as in `planCommand` */
  give(editor: string, command: DraftCommand, base?: (field: WantedChange['field']) => number): ChangeOutcome {
    const { changes } = this.plan(editor, command, base);
    return this.#keep(changeDraft(this.draft, changes, { at: AT, editor, command }));
  }

  plan(editor: string, command: DraftCommand, base?: (field: WantedChange['field']) => number) {
    const isRoundupItem = 'story' in command && command.story.startsWith('r');
    return planCommand(this.draft, command, { shown: SHOWN, isRoundupItem, editor, now: AT }, base);
  }

  /** Approves the draft as it is. */
  approve(editor: string): ChangeOutcome {
    const hash = approvalHash(this.draft.decisions, LISTED);
    return this.give(editor, { kind: 'approve', hash, stories: LISTED });
  }

  /** Null if there is nothing to undo. */
  undo(editor: string): ChangeOutcome | null {
    const entry = entryToUndo(this.log, editor);
    return entry && this.#keep(undoEntry(this.draft, entry, { at: AT, editor, command: { kind: 'undo' } }));
  }

  /** Null if there is nothing to redo. */
  redo(editor: string): ChangeOutcome | null {
    const entry = entryToRedo(this.log, editor);
    return entry && this.#keep(undoEntry(this.draft, entry, { at: AT, editor, command: { kind: 'redo' } }));
  }

  #keep(outcome: ChangeOutcome): ChangeOutcome {
    if (outcome.kind === 'changed') {
      this.draft = outcome.draft;
      this.log = [...this.log, outcome.entry];
    }
    return outcome;
  }
}

export const subject = (text: string | null): DraftCommand => ({ kind: 'subject', text });
export const drop = (story: string): DraftCommand => ({ kind: 'drop', story });
export const moveTo = (
  story: string,
  block: VisibleStory['block'],
  place: Extract<DraftCommand, { kind: 'move' }>['place'] = { kind: 'last' },
): DraftCommand => ({ kind: 'move', story, block, place });
