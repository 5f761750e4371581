/** The acts of an editor on story groups: each is one command, which names the groups as the page showed them. */
import type { Tx } from '../../core/store/store.ts';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondProblem } from '../../web/desk/page.ts';
import { sentence } from '../../web/desk/parts/operator-text.ts';
import { GroupConflictError, type GroupReference, lastCommandNumber } from '../story-groups/change-groups.ts';
import { type GroupCommand, GroupCommandError } from '../story-groups/commands.ts';
import { editGroups, type GroupEdit } from '../story-groups/edit-groups.ts';
import { findGroupIds, readGroups } from '../story-groups/group-rows.ts';
import type { StoryGroup } from '../story-groups/story-group.ts';
import { respondConflict } from './conflict-page.ts';
import { groupPath, itemsText, parseBack, parseItems, referenceOf, seenOf } from './group-address.ts';
import { groupParameter, isEdit, readShownGroup, respondGroup } from './group-page.ts';
import { countWithNoun, headlineOf } from './group-parts.ts';
import { type CarriedOut, undoOf } from './group-undo.ts';

/** A command that an editor has posted. */
interface PostedCommand {
  /** The last part of the act's name in the audit log. */
  name: string;
  command: GroupCommand;
  references: GroupReference[];
  /** The group of the address; null where the form alone names groups. */
  group: number | null;
  /** What it does, as in "you wanted to …". */
  wanted: string;
  detail?: Record<string, string | number | number[]>;
}

/** A command with what it made of the groups. */
interface DoneCommand extends PostedCommand, CarriedOut {
  edit: GroupEdit;
}

export function handlePick(request: SignedInRequest): Promise<Response> {
  const text = request.form.get('text') ?? '';
  return actOnGroup(
    request,
    'pick',
    { kind: 'pick', text, ...pickOptions(request.form) },
    'pick it with this sentence',
  );
}

export function handleEdit(request: SignedInRequest): Promise<Response> {
  const text = request.form.get('text') ?? '';
  return actOnGroup(request, 'edit', { kind: 'edit', text, ...pickOptions(request.form) }, 'change it to this');
}

/** Shows the form of a pick that has not been saved, because its editor had to sign in again. */
export function showPickAgain(request: SignedInRequest): Promise<Response> {
  const { form } = request;
  const refused = { form, part: 'text', message: 'It has not been saved yet.' } as const;
  const back = parseBack(form.get('back') ?? '');
  return respondGroup(request, groupParameter(request), { back, refused, status: 422 });
}

/** Fields of a pick's form besides its sentence. */
function pickOptions(form: URLSearchParams) {
  const first = form.get('first') ?? '';
  return {
    headline: form.get('headline')?.trim() ? (form.get('headline') as string) : null,
    section: form.get('section') || null,
    hasPicture: form.get('picture') === '1',
    ...(/^\d{1,15}$/.test(first) ? { first: Number(first) } : {}),
  };
}

export function handleNameFirst(request: SignedInRequest): Promise<Response> {
  const [item = 0] = parseItems(request.form.get('item') ?? '');
  return actOnGroup(request, 'first', { kind: 'first', item }, 'name another outlet first', { report: item });
}

export function handleDrop(request: SignedInRequest): Promise<Response> {
  return actOnGroup(request, 'drop', { kind: 'drop' }, 'drop it');
}

export function handleRestore(request: SignedInRequest): Promise<Response> {
  return actOnGroup(request, 'restore', { kind: 'restore' }, 'restore it');
}

export function handleSplit(request: SignedInRequest): Promise<Response> {
  // One list of ids from a notice, or a field for each checkbox.
  const items = request.form.getAll('report').flatMap(parseItems);
  return actOnGroup(request, 'split', { kind: 'split', items }, 'split off reports', { reports: items });
}

/** Merges another group into that of the address. */
export function handleMergeWith(request: SignedInRequest): Promise<Response> {
  const { form } = request;
  const group = groupParameter(request);
  const other = { items: parseItems(form.get('with') ?? ''), seen: seenOf(form) };
  return carryOut(request, {
    ...{ name: 'merge', command: { kind: 'merge' }, group, wanted: 'merge these groups' },
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
    ...{ name: 'merge', command: { kind: 'merge' }, references, group: null, wanted: 'merge these groups' },
    detail: { groups: references.map(({ items }) => items[0] as number) },
  });
}

function actOnGroup(
  request: SignedInRequest,
  name: string,
  command: GroupCommand,
  wanted: string,
  detail: PostedCommand['detail'] = {},
): Promise<Response> {
  const group = groupParameter(request);
  return carryOut(request, { name, command, wanted, group, detail, references: [referenceOf(request.form, group)] });
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
    if (error instanceof GroupConflictError) return conflict(request, posted, error);
    if (!(error instanceof GroupCommandError)) throw error;
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
  const path = back === null ? groupPath(id) : `${parseBack(back)}#g${id}`;
  const problems =
    done.edit.problems.length === 0
      ? ''
      : ` The article could not be written: ${done.edit.problems.map(sentence).join(' ')}`;
  const text = `${group === undefined ? 'Nothing to change.' : doneText(done, group)}${problems}`;
  return respondAfter(request, path, {
    kind: 'done',
    text,
    undo: group === undefined ? undefined : undoOf(done, group),
  });
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
      return `Split off ${countWithNoun(groups[1]?.items.length ?? 0, 'report')} from ${story}.`;
    case 'rule':
      return `Let in ${story}.`;
  }
}

function outletOf({ items }: StoryGroup, item: number): string {
  return items.find(({ id }) => id === item)?.outlet ?? 'Another outlet';
}

async function respondRefused(
  request: SignedInRequest,
  posted: PostedCommand,
  error: GroupCommandError,
): Promise<Response> {
  const message = sentence(error);
  const back = parseBack(request.form.get('back') ?? '');
  const { group, command } = posted;
  if (group === null) return respondAfter(request, back, { kind: 'problem', text: message });
  if (command.kind === 'pick' || command.kind === 'edit') {
    const refused = { form: request.form, part: error.part, message };
    return respondGroup(request, group, { back, refused, status: 422 });
  }
  return respondGroup(request, group, { back, problem: message, status: 422 });
}

/** Shows the groups as they are now, and a form that repeats the command to them. */
async function conflict(request: SignedInRequest, posted: PostedCommand, error: GroupConflictError): Promise<Response> {
  const { db } = request.desk.app.store;
  const seen = await lastCommandNumber(db);
  const named = posted.references.flatMap(({ items }) => items);
  const ids = [...new Set((await findGroupIds(db, named)).values())];
  const groups = [...(await readGroups(db, ids)).values()];
  if (groups.length === 0) {
    return respondProblem(request, 409, 'Somebody was first', `${sentence(error)} The group is gone.`);
  }
  return respondConflict(request, {
    ...{ error, groups, wanted: posted.wanted },
    repeat: await repeatOf(request, posted, { groups, seen }),
    theirs: posted.group === null ? parseBack(request.form.get('back') ?? '') : groupPath(posted.group),
  });
}

/** The posted form, with the reports that the groups have now. */
async function repeatOf(
  request: SignedInRequest,
  { group, command }: PostedCommand,
  { groups, seen }: { groups: StoryGroup[]; seen: number },
): Promise<{ action: string; fields: [string, string][] } | null> {
  const { form } = request;
  const kept = [...form].filter(([name]) => !['items', 'seen', 'group', 'with'].includes(name));
  const withSeen: [string, string][] = [...kept, ['seen', String(seen)]];
  if (group === null) {
    if (groups.length < 2) return null;
    const marked = groups.map((one): [string, string] => ['group', itemsText(one.items)]);
    return { action: '/roundup/merge', fields: [...withSeen, ...marked] };
  }
  const current = (await readShownGroup(request.desk.app.store.db, group))?.group;
  if (current === undefined) return null;
  // Somebody may have taken back the pick that was to be edited.
  const act = command.kind === 'edit' && !isEdit(current) ? 'pick' : command.kind;
  const action = `${groupPath(current.id)}/${act}`;
  const items: [string, string] = ['items', itemsText(current.items)];
  if (command.kind !== 'merge') return { action, fields: [...withSeen, items] };
  const other = groups.find(({ id }) => id !== current.id);
  return other === undefined ? null : { action, fields: [...withSeen, items, ['with', itemsText(other.items)]] };
}
