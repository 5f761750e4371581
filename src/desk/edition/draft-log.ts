/**
 * The log of a draft: who decided what and when, with undo and redo.
 */
import { html } from 'hono/html';
import { describeCommand } from '../../editions/draft/describe.ts';
import {
  entryToRedo,
  entryToUndo,
  entryToUndoByNumber,
  type LogEntry,
  undoEntry,
  undoneNumbers,
} from '../../editions/draft/history.ts';
import type { Html } from '../desk-request.ts';
import { postButton } from '../parts/form.ts';
import { when, whenText } from '../parts/when.ts';
import { actPath } from './edition-address.ts';
import { type EditionPageView, storyName } from './edition-view.ts';

/** The newest entries, which the page shows at once. */
const SHOWN = 12;
/** Entries that can be opened. The command line lists all. */
const MAX_ENTRIES = 200;

export function draftLog(view: EditionPageView): Html {
  const { draft, request } = view;
  const entries = draft.log.toReversed();
  const undone = undoneNumbers(draft.log);
  const editor = request.account.name;
  const table = (some: readonly LogEntry[]): Html =>
    html`<ol class="rows">${some.map((entry) => logRow(view, entry, undone.has(entry.number)))}</ol>`;
  const older = entries.slice(SHOWN, MAX_ENTRIES);
  const more = entries.length - MAX_ENTRIES;
  return html`<section id="log" data-region aria-labelledby="log-title">
<h2 id="log-title">Log</h2>
${view.mayEdit ? undoButtons(view, editor) : ''}
${
  entries.length === 0
    ? html`<p class="soft">No editor has changed this edition: it goes out by the rules.</p>`
    : table(entries.slice(0, SHOWN))
}${
  older.length === 0
    ? ''
    : html`<details id="log-older"><summary>Older entries <span class="soft">${older.length}</span></summary>
${table(older)}${more <= 0 ? '' : html`<p class="soft">And ${more} more: see “daywire editions log”.</p>`}</details>`
}</section>`;
}

function undoButtons(view: EditionPageView, editor: string): Html {
  const { draft, request } = view;
  const undo = entryToUndo(draft.log, editor);
  const redo = entryToRedo(draft.log, editor);
  const undoes = redo === null ? null : (draft.log.find(({ number }) => number === redo.undoes) ?? null);
  return html`<div class="buttons">${postButton(request, actPath(request, draft, 'undo'), 'Undo', {
    ...{ id: 'undo', key: 'z', disabled: undo === null, fields: undo === null ? {} : { entry: undo.number } },
    ...(undo === null ? {} : { name: `Undo: ${entryText(view, undo)}` }),
  })}${postButton(request, actPath(request, draft, 'redo'), 'Redo', {
    ...{ id: 'redo', key: 'y', disabled: redo === null },
    ...(undoes === null ? {} : { name: `Redo: ${entryText(view, undoes)}` }),
  })}${undo === null ? '' : html`<span class="hint">Your last command: ${entryText(view, undo)}</span>`}</div>`;
}

function logRow(view: EditionPageView, entry: LogEntry, isUndone: boolean): Html {
  const { request, draft, mayEdit } = view;
  const button = postButton(request, actPath(request, draft, 'undo'), 'Undo', {
    ...{ quiet: true, fields: { entry: entry.number }, id: `undo-${entry.number}` },
    name: `Undo ${entry.number}: ${entryText(view, entry)}`,
  });
  return html`<li value="${entry.number}" class="acts"><div>${entryText(view, entry)}${
    isUndone ? ' (undone)' : ''
  } <span class="hint"><bdi>${entry.editor}</bdi>, ${when(request, entry.at)}</span></div>${
    mayEdit && canUndo(view, entry) ? button : ''
  }</li>`;
}

/** Whether the account may undo the entry, and nobody has changed its fields since. */
function canUndo({ draft, request }: EditionPageView, { number }: LogEntry): boolean {
  const editor = request.account.name;
  const entry = entryToUndoByNumber(draft.log, editor, number);
  if (entry === null) return false;
  const author = { at: request.at, editor, command: { kind: 'undo' } } as const;
  return undoEntry(draft.draft, entry, author).kind === 'changed';
}

/** An entry in words, with headlines. */
export function entryText(view: Pick<EditionPageView, 'headlines' | 'request'>, entry: LogEntry): string {
  const { zone } = view.request.desk.app.config.publication;
  return describeCommand(entry, {
    story: (id) => `“${storyName(view, id)}”`,
    instant: (at) => whenText(at, view.request.at, zone),
  });
}
