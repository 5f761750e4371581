/** The log of a draft: who decided what and when, with undo and redo. */
import { html } from 'hono/html';
import { articleDeskPath } from '../../../articles/article-link.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondMissing, respondPage } from '../../../web/desk/page.ts';
import { postButton } from '../../../web/desk/parts/form.ts';
import { pager } from '../../../web/desk/parts/pager.ts';
import { when, whenText } from '../../../web/desk/parts/when.ts';
import { describeCommand, describeInParts } from '../../draft/describe.ts';
import { readDraft, readDraftLog } from '../../draft/draft-store.ts';
import { draftPath, draftTopic, logPath } from '../../draft/draft-target.ts';
import {
  approverWithdrawn,
  entryToRedo,
  entryToUndo,
  entryToUndoByNumber,
  type LogEntry,
  storiesOf,
  undoEntry,
  undoneNumbers,
} from '../../draft/history.ts';
import { findHeadlines } from '../../selection/candidates.ts';
import { actPath, type DraftPageView, findTarget, isMissing, storyName } from './draft-view.ts';

/** Parts of a draft's page that its log needs. */
export interface LogView extends Pick<DraftPageView, 'request' | 'headlines' | 'mayEdit'> {
  draft: Pick<DraftPageView['draft'], 'newsletter' | 'slot' | 'draft' | 'log'>;
}

/** The newest entries, which the page of the edition shows. */
const SHOWN = 12;

export function draftLog(view: LogView): Html {
  const { draft, request } = view;
  const { log } = draft;
  const all = html`<p><a id="log-all" href="${request.desk.base}${logPath(draft)}">All ${log.length} entries</a></p>`;
  return html`<section id="log" data-region aria-labelledby="log-title">
<h2 id="log-title">Log</h2>
${view.mayEdit ? undoButtons(view, request.account.name) : ''}
${
  log.length === 0
    ? html`<p class="soft">No editor has changed this edition: it goes out by the rules.</p>`
    : logRows(view, log.slice(-SHOWN).reverse())
}${log.length > SHOWN ? all : ''}</section>`;
}

function logRows(view: LogView, entries: readonly LogEntry[]): Html {
  const undone = undoneNumbers(view.draft.log);
  return html`<ol class="rows">${entries.map((entry) => logRow(view, entry, undone.has(entry.number)))}</ol>`;
}

function undoButtons(view: LogView, editor: string): Html {
  const { draft, request } = view;
  const undo = entryToUndo(draft.log, editor);
  const redo = entryToRedo(draft.log, editor);
  const undoes = redo === null ? null : (draft.log.find(({ number }) => number === redo.undoes) ?? null);
  return html`<div class="buttons">${postButton(request, actPath(draft, 'undo'), 'Undo', {
    ...{ id: 'undo', key: 'z', disabled: undo === null, fields: undo === null ? {} : { entry: undo.number } },
    ...(undo === null ? {} : { name: `Undo: ${entryText(view, undo)}` }),
  })}${postButton(request, actPath(draft, 'redo'), 'Redo', {
    ...{ id: 'redo', key: 'y', disabled: redo === null },
    ...(undoes === null ? {} : { name: `Redo: ${entryText(view, undoes)}` }),
  })}${undo === null ? '' : html`<span class="hint">Your last command: ${entryText(view, undo)}</span>`}</div>`;
}

function logRow(view: LogView, entry: LogEntry, isUndone: boolean): Html {
  const { request, draft, mayEdit } = view;
  const button = postButton(request, actPath(draft, 'undo'), 'Undo', {
    ...{ quiet: true, fields: { entry: entry.number }, id: `undo-${entry.number}` },
    name: `Undo ${entry.number}: ${entryText(view, entry)}`,
  });
  return html`<li value="${entry.number}" class="acts"><div>${logEntry(view, entry, isUndone)}</div>${
    mayEdit && canUndo(view, entry) ? button : ''
  }</li>`;
}

/** What an entry did, who gave the command, and when. */
function logEntry(view: LogView, entry: LogEntry, isUndone: boolean): Html {
  const approver = approverWithdrawn(entry);
  const { desk, at: now } = view.request;
  const words = describeInParts(entry, (at) => whenText(at, now, desk.app.config.publication.zone)).map((part) =>
    typeof part === 'string'
      ? part
      : html`“<a href="${desk.base}${articleDeskPath(part.story)}" dir="auto">${storyName(view, part.story)}</a>”`,
  );
  return html`${words}${isUndone ? ' (undone)' : ''}${
    approver === null ? '' : html`; this withdrew the approval of <bdi>${approver}</bdi>`
  } <span class="hint"><bdi>${entry.editor}</bdi>,
${when(view.request, entry.at)}</span>`;
}

/** Whether the account may undo the entry, and nobody has changed its fields since. */
function canUndo({ draft, request }: LogView, { number }: LogEntry): boolean {
  const editor = request.account.name;
  const entry = entryToUndoByNumber(draft.log, editor, number);
  if (entry === null) return false;
  const author = { at: request.at, editor, command: { kind: 'undo' } } as const;
  return undoEntry(draft.draft, entry, author).kind === 'changed';
}

/** An entry in words, with headlines. */
export function entryText(view: Pick<DraftPageView, 'headlines' | 'request'>, entry: LogEntry): string {
  const { zone } = view.request.desk.app.config.publication;
  return describeCommand(entry, {
    story: (id) => `“${storyName(view, id)}”`,
    instant: (at) => whenText(at, view.request.at, zone),
  });
}

const ROWS = 50;

export async function showLog(request: SignedInRequest): Promise<Response> {
  const target = await findTarget(request);
  if (isMissing(target)) return respondMissing(request, target.message);
  const { newsletter, slot } = target;
  const { db } = request.desk.app.store;
  const draft = await readDraft(db, newsletter.id, slot);
  const log = await readDraftLog(db, newsletter.id, slot.label);
  const after = Number(/^\d{1,9}$/.exec(request.c.req.query('after') ?? '')?.[0] ?? Number.POSITIVE_INFINITY);
  const following = log.filter(({ number }) => number < after);
  const entries = following.slice(-ROWS).reverse();
  const older = following.length > ROWS ? String(entries.at(-1)?.number) : null;
  const headlines = await findHeadlines(request.desk.app.store.db, [...new Set(entries.flatMap(storiesOf))]);
  const view = { request, headlines, mayEdit: request.may('drafts.edit'), draft: { newsletter, slot, draft, log } };
  const body = html`<p><a href="${request.desk.base}${draftPath(target)}">The edition</a></p>
<section id="log" data-region aria-label="Entries">${
    entries.length === 0 ? html`<p class="soft">There is no such entry.</p>` : logRows(view, entries)
  }${pager(request, { path: logPath(target), older, isFirst: after === Number.POSITIVE_INFINITY })}</section>`;
  return respondPage(request, {
    title: `Log of ${newsletter.title}, ${slot.label}`,
    section: 'edition',
    topics: [draftTopic(target)],
    body,
  });
}
