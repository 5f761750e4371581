/** The acts of an editor on the page of an edition: each is one command to its draft. */
import { withDeskWords } from '../../../core/actions.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondAfter, respondMissing } from '../../../web/desk/page.ts';
import { refusalText, sentence } from '../../../web/desk/parts/operator-text.ts';
import { DraftCommandError, parseBlock } from '../../draft/commands.ts';
import type { DraftBlock, StoryPlace } from '../../draft/decisions.ts';
import { type DraftTarget, draftPath, targetName } from '../../draft/draft-target.ts';
import { DraftConflictError, type DraftEdit, type DraftRequest, editDraft } from '../../draft/edit-draft.ts';
import { storiesOf, withdrewApproval } from '../../draft/history.ts';
import { findHeadlines } from '../../selection/candidates.ts';
import { entryText } from './draft-log.ts';
import { respondEdition } from './draft-page.ts';
import { actPath, findTarget, isMissing, rowId } from './draft-view.ts';
import type { RefusedText, TextFieldName } from './text-forms.ts';

/** The revision of the draft that the page showed. Without one, everything that was ever changed is a conflict. */
export function seenRevision(form: URLSearchParams): number {
  const value = form.get('seen') ?? '';
  return /^\d{1,9}$/.test(value) ? Number(value) : 0;
}

/** Pins, drops or restores a story. */
export function actOnStory(kind: 'pin' | 'drop' | 'restore'): (request: SignedInRequest) => Promise<Response> {
  return (request) => act(request, kind, { request: { kind, story: request.form.get('story') ?? '' } });
}

/** Moves a story: to a block, above or below another story, or to an end of its block. */
export function moveStory(request: SignedInRequest): Promise<Response> {
  const { form } = request;
  const text = (name: string): string | null => form.get(name) || null;
  let block: DraftBlock;
  try {
    block = parseBlock(text('block') ?? text('from') ?? '');
  } catch (error) {
    return act(request, 'move', { problem: (error as DraftCommandError).message });
  }
  const story = text('story') ?? '';
  return act(request, 'move', { request: { kind: 'move', story, block, place: placeOf(text) } });
}

function placeOf(text: (name: string) => string | null): StoryPlace {
  const [before, after] = [text('before'), text('after')];
  if (before !== null) return { kind: 'before', story: before };
  if (after !== null) return { kind: 'after', story: after };
  return { kind: text('place') === 'first' ? 'first' : 'last' };
}

/** Writes a text of the edition, or gives it back to the rules; shows one whose editor had to sign in again. */
export function textActs(field: TextFieldName) {
  return {
    handle(request: SignedInRequest) {
      const typed = request.form.get('text') ?? '';
      const isAutomatic = request.form.get('automatic') === '1';
      if (!isAutomatic && field !== 'note' && typed.trim() === '') {
        const error = `The ${field} is empty: write one, or leave the automatic one.`;
        return act(request, field, { text: refusedText(request, field, error) });
      }
      return act(request, field, { request: { kind: field, text: isAutomatic ? null : typed } });
    },
    again: (request: SignedInRequest) =>
      act(request, field, { text: refusedText(request, field, 'It has not been saved yet.') }),
  };
}

function refusedText(request: SignedInRequest, field: TextFieldName, error: string): RefusedText {
  return { field, text: request.form.get('text') ?? '', error, seen: seenRevision(request.form) };
}

/** Undoes the entry that the form names, or else the editor's last command. */
export function undo(request: SignedInRequest): Promise<Response> {
  const entry = request.form.get('entry') ?? '';
  return act(request, 'undo', {
    request: /^\d{1,9}$/.test(entry) ? { kind: 'undo', entry: Number(entry) } : { kind: 'undo' },
  });
}

export function redo(request: SignedInRequest): Promise<Response> {
  return act(request, 'redo', { request: { kind: 'redo' } });
}

type TriedCommand = { request: DraftRequest } | { problem: string } | { text: RefusedText };

async function act(request: SignedInRequest, name: string, attempt: TriedCommand): Promise<Response> {
  const target = await findTarget(request);
  if (isMissing(target)) return respondMissing(request, target.message);
  if ('problem' in attempt) return respondEdition(request, target, { problem: sentence(attempt.problem) });
  if ('text' in attempt) return respondEdition(request, target, { text: attempt.text });
  const { app } = request.desk;
  const command = attempt.request;
  const detail: Record<string, string> = 'story' in command ? { story: command.story } : {};
  try {
    const edit = await editDraft(app, target, request.account.name, command, {
      seen: { revision: seenRevision(request.form) },
      onCommit: request.audit(`edition.${name}`, targetName(target), detail),
    });
    return await respondDone(request, target, edit);
  } catch (error) {
    return respondRefused(request, target, error, { act: name, command });
  }
}

/** Answers a command that was refused. @throws any other error */
export async function respondRefused(
  request: SignedInRequest,
  target: DraftTarget,
  error: unknown,
  { act: name, command }: { act: string; command: DraftRequest },
): Promise<Response> {
  if (error instanceof DraftConflictError) {
    if (isText(command) && command.text !== null) {
      const advice = `Not saved: ${error.by} has changed it, too. Saving replaces theirs.`;
      const theirs = { by: error.by, text: describeText(error.conflicts[0]?.current) };
      const text = { ...refusedText(request, command.kind, advice), seen: null, theirs };
      return respondEdition(request, target, { text });
    }
    const isRepeatable = command.kind !== 'undo' && command.kind !== 'redo';
    const fields = Object.fromEntries([...request.form].filter(([field]) => field !== 'seen'));
    const repeat = isRepeatable ? { act: name, fields } : null;
    return respondEdition(request, target, { conflict: { error, repeat } });
  }
  if (!(error instanceof DraftCommandError)) throw error;
  const problem = sentence(await withHeadline(request, refusalText(error), command));
  if (!isText(command)) return respondEdition(request, target, { problem });
  return respondEdition(request, target, { text: refusedText(request, command.kind, problem) });
}

const describeText = (value: unknown): string => (typeof value === 'string' ? value : 'automatic');
const isText = (command: DraftRequest): command is Extract<DraftRequest, { kind: TextFieldName }> =>
  ['subject', 'preheader', 'note'].includes(command.kind);

/** Names the story that a message begins with by its headline: the page shows no id. */
async function withHeadline(request: SignedInRequest, message: string, command: DraftRequest): Promise<string> {
  if (!('story' in command) || !message.startsWith(`${command.story} `)) return message;
  const headline = (await findHeadlines(request.desk.app.store.db, [command.story])).get(command.story);
  return headline === undefined ? message : `“${headline}”${message.slice(command.story.length)}`;
}

async function respondDone(request: SignedInRequest, target: DraftTarget, edit: DraftEdit): Promise<Response> {
  const { entry, undone } = edit;
  const path = draftPath(target);
  const command = (undone ?? entry)?.command;
  const story = command !== undefined && 'story' in command ? command.story : null;
  // A dropped story leaves its block: the page stays where it was.
  const next = command?.kind === 'drop' && undone === null ? request.form.get('next') || null : null;
  const place = story === null ? path : `${path}#${encodeURIComponent(rowId(next ?? story))}`;
  const more = noticesOf(edit)
    .map((notice) => ` ${sentence(notice)}`)
    .join('');
  if (entry === null) return respondAfter(request, place, { kind: 'done', text: `Nothing to change.${more}` });
  const headlines = await findHeadlines(request.desk.app.store.db, storiesOf(undone ?? entry));
  const what = entryText({ request, headlines }, undone ?? entry);
  const text = undone === null ? what : `${entry.command.kind} of: ${what}`;
  const isUndo = entry.command.kind === 'undo';
  return respondAfter(request, place, {
    kind: 'done',
    text: `${sentence(text)}${more}`,
    undo: isUndo
      ? { action: actPath(target, 'redo'), label: 'Redo', fields: {} }
      : { action: actPath(target, 'undo'), fields: { entry: String(entry.number) } },
  });
}

/** Notices about missing and additional effects of a command. */
function noticesOf({ draft, entry, notices, ended }: DraftEdit): string[] {
  return [
    ...notices,
    ...(ended === null ? [] : [withDeskWords(ended.problem, ended.actions)]),
    ...(entry !== null && withdrewApproval(entry)
      ? ['the approval was withdrawn: approve what the page shows now']
      : []),
    ...(draft.state.kind === 'closed' ? ['the edition is closed: this takes effect only if it is reissued'] : []),
  ];
}
