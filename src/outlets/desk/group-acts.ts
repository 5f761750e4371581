/** The acts of an editor on story groups: each is one command, which names the groups as the page showed them. */
import type { Tx } from '../../core/store/store.ts';
import { count } from '../../lib/text/count.ts';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter } from '../../web/desk/page.ts';
import { sentence } from '../../web/desk/parts/operator-text.ts';
import { GroupConflictError, type GroupReference, lastCommandNumber } from '../story-groups/change-groups.ts';
import { type GroupCommand, GroupCommandError } from '../story-groups/commands.ts';
import { editGroups, type GroupEdit } from '../story-groups/edit-groups.ts';
import { findGroupIds, readGroups } from '../story-groups/group-rows.ts';
import type { StoryGroup } from '../story-groups/story-group.ts';
import { groupPath, listPath, parseBack, parseBackQuery, parseItems, referenceOf, seenOf } from './group-address.ts';
import { groupParameter, respondGroup } from './group-page.ts';
import { commandWords, headlineOf } from './group-parts.ts';
import { type CarriedOut, undoOf } from './group-undo.ts';
import { respondInList } from './list-page.ts';

/** A command that an editor has posted. */
interface PostedCommand {
  /** The last part of the act's name in the audit log. */
  name: string;
  command: GroupCommand;
  references: GroupReference[];
  /** The group of the address; null where the form alone names groups. */
  group: number | null;
  detail?: Record<string, string | number | number[]>;
}

/** A command with what it made of the groups. */
interface DoneCommand extends PostedCommand, CarriedOut {
  edit: GroupEdit;
}

export function handlePick(request: SignedInRequest): Promise<Response> {
  return actOnGroup(request, 'pick', { kind: 'pick', ...pickFields(request.form) });
}

export function handleEdit(request: SignedInRequest): Promise<Response> {
  return actOnGroup(request, 'edit', { kind: 'edit', ...pickFields(request.form) });
}

/** Shows the form of a pick that has not been saved, because its editor had to sign in again. */
export function showPickAgain(request: SignedInRequest): Promise<Response> {
  const { form } = request;
  const refused = { form, part: 'text', message: 'It has not been saved yet.' } as const;
  const back = parseBack(form.get('back') ?? '');
  return respondGroup(request, groupParameter(request), { back, refused, status: 422 });
}

/** What the form of a pick says. That of the list has the sentence alone: the rest stays as it is. */
function pickFields(form: URLSearchParams) {
  const text = form.get('text') ?? '';
  if (!form.has('headline')) return { text };
  const first = form.get('first') ?? '';
  return {
    text,
    headline: form.get('headline')?.trim() ? (form.get('headline') as string) : null,
    section: form.get('section') || null,
    hasPicture: form.get('picture') === '1',
    ...(/^\d{1,15}$/.test(first) ? { first: Number(first) } : {}),
  };
}

export function handleNameFirst(request: SignedInRequest): Promise<Response> {
  const [item = 0] = parseItems(request.form.get('item') ?? '');
  return actOnGroup(request, 'first', { kind: 'first', item }, { report: item });
}

export function handleDrop(request: SignedInRequest): Promise<Response> {
  return actOnGroup(request, 'drop', { kind: 'drop' });
}

export function handleRestore(request: SignedInRequest): Promise<Response> {
  return actOnGroup(request, 'restore', { kind: 'restore' });
}

export function handleSplit(request: SignedInRequest): Promise<Response> {
  // One list of ids from a notice, or a field for each checkbox.
  const items = request.form.getAll('report').flatMap(parseItems);
  return actOnGroup(request, 'split', { kind: 'split', items }, { reports: items });
}

/** Merges another group into that of the address. */
export function handleMergeWith(request: SignedInRequest): Promise<Response> {
  const { form } = request;
  const group = groupParameter(request);
  const other = { items: parseItems(form.get('with') ?? ''), seen: seenOf(form) };
  return carryOut(request, {
    ...{ name: 'merge', command: { kind: 'merge' }, group },
    references: [referenceOf(form, group), other].filter(({ items }) => items.length > 0),
    detail: { with: other.items },
  });
}

/** Merges the groups that are marked in the list. */
export function handleMergeMarked(request: SignedInRequest): Promise<Response> {
  const { form } = request;
  const references = form
    .getAll('group')
    .map((items) => ({ items: parseItems(items), seen: seenOf(form) }))
    .filter(({ items }) => items.length > 0);
  const [first] = references[0]?.items ?? [];
  if (references.length < 2 || first === undefined) {
    const text = 'Mark two groups or more to merge them.';
    return Promise.resolve(respondAfter(request, parseBack(form.get('back') ?? ''), { kind: 'problem', text }));
  }
  return carryOut(request, {
    ...{ name: 'merge', command: { kind: 'merge' }, references, group: null },
    detail: { groups: references.map(({ items }) => items[0] as number) },
  });
}

function actOnGroup(
  request: SignedInRequest,
  name: string,
  command: GroupCommand,
  detail: PostedCommand['detail'] = {},
): Promise<Response> {
  const group = groupParameter(request);
  return carryOut(request, { name, command, group, detail, references: [referenceOf(request.form, group)] });
}

async function carryOut(request: SignedInRequest, posted: PostedCommand): Promise<Response> {
  const { app } = request.desk;
  const { command, references, group } = posted;
  const subject = `g${group ?? references[0]?.items[0]}`;
  const audit = request.audit(`roundup.${posted.name}`, subject, posted.detail ?? {});
  const former = await readFormer(request, references);
  let number = 0;
  const onCommit = async (tx: Tx): Promise<void> => {
    number = await lastCommandNumber(tx);
    await audit(tx);
  };
  try {
    const edited = await editGroups(app, request.account.name, references, command, onCommit);
    return respondDone(request, { ...posted, edit: edited, number, former });
  } catch (error) {
    if (!(error instanceof GroupConflictError || error instanceof GroupCommandError)) throw error;
    return respondRefused(request, posted, error);
  }
}

/** The group before the command. A change by somebody else meanwhile is a conflict. */
async function readFormer(
  { desk }: SignedInRequest,
  [reference]: readonly GroupReference[],
): Promise<StoryGroup | null> {
  const { db } = desk.app.store;
  const [id] = (await findGroupIds(db, reference?.items ?? [])).values();
  return id === undefined ? null : ((await readGroups(db, [id])).get(id) ?? null);
}

function respondDone(request: SignedInRequest, done: DoneCommand): Response {
  const { form } = request;
  const [group] = done.edit.groups;
  const back = form.get('back');
  const id = group?.id ?? done.group ?? 0;
  const path = back === null ? groupPath(id) : `${parseBack(back)}#${placeAfter(form, done.command, id)}`;
  const problems =
    done.edit.problems.length === 0
      ? ''
      : ` The article could not be written: ${done.edit.problems.map(sentence).join(' ')}`;
  const text = `${group === undefined ? 'Nothing to change.' : doneText(done, group)}${problems}`;
  const undo = group === undefined ? undefined : undoOf(done, group);
  if (undo !== undefined && form.has('next')) {
    // A notice can carry no long one.
    Object.assign(undo.fields, { back: back === null || back.length > 300 ? '/roundup' : back, next: '' });
  }
  return respondAfter(request, path, { kind: 'done', text, undo });
}

/** The id that has the focus after an act without script: the next row's, where one has done with a row. */
function placeAfter(form: URLSearchParams, { kind }: GroupCommand, id: number): string {
  const next = form.get('next') ?? '';
  if (/^\d{1,15}$/.test(next) && (kind === 'pick' || kind === 'edit')) return `text-${next}`;
  return `open-${/^\d{1,15}$/.test(next) && kind === 'drop' ? next : id}`;
}

function doneText({ command, references, edit: { groups } }: DoneCommand, group: StoryGroup): string {
  const story = `“${headlineOf(group)}”`;
  switch (command.kind) {
    case 'pick':
      return `Picked ${story}. Its article is ${group.decision?.articleId}.`;
    case 'edit':
      return `Saved ${story}.`;
    case 'first':
      return `${outletOf(group, command.item)} is named first in ${story}.`;
    case 'drop':
      return `Dropped ${story}.`;
    case 'restore':
      return `Restored ${story}: it is neither picked nor dropped.`;
    case 'merge':
      // A split makes one group of the reports that leave: it cannot take back a merge of three.
      return `Merged ${references.length} groups into ${story}.${
        references.length < 3 ? '' : ' To take that back, split the groups off one by one.'
      }`;
    case 'split':
      return `Split off ${count(groups[1]?.items.length ?? 0, 'report')} from ${story}.`;
    case 'rule':
      return `Let in ${story}.`;
  }
}

function outletOf({ items }: StoryGroup, item: number): string {
  return items.find(({ id }) => id === item)?.outlet ?? 'Another outlet';
}

/**
 * Shows the groups as they are now, and what was typed, to be stored again. An act of the list stays in the list: a
 * sentence in its row, if there is still one.
 */
async function respondRefused(
  request: SignedInRequest,
  { command, group }: PostedCommand,
  error: GroupCommandError | GroupConflictError,
): Promise<Response> {
  const { form } = request;
  const isConflict = error instanceof GroupConflictError;
  const done = isConflict ? error.entries.map((entry) => `${entry.editor} ${commandWords(entry, () => null)}.`) : [];
  const hasText = command.kind === 'pick' || command.kind === 'edit';
  const advice = isConflict ? [hasText ? 'Store yours once more to replace it.' : 'Nothing was changed.'] : [];
  const message = [sentence(error), ...done, ...advice].join(' ');
  const status = isConflict ? 409 : 422;
  const query = parseBackQuery(form.get('back') ?? '');
  const back = listPath(query);
  if (group === null || (form.has('next') && !hasText)) {
    const place = group === null ? '' : `#open-${group}`;
    return respondAfter(request, back + place, { kind: 'problem', text: message });
  }
  if (!hasText) return respondGroup(request, group, { back, problem: message, status });
  const typed = { group, text: form.get('text') ?? '', message, status } as const;
  const inList = form.has('next') ? await respondInList(request, query, typed) : null;
  const part = isConflict ? null : error.part;
  return inList ?? respondGroup(request, group, { back, refused: { form, part, message }, status });
}
