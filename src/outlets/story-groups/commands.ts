/**
 * What editors and rules decide about story groups, and what each command changes. Pure.
 *
 * After any command each item is in exactly one group, the id of a group is that of one of its items, and a group has
 * at most one article. No state is final.
 */
import { ActionableError } from '../../core/actions.ts';
import { cleanLine, cleanText, hasVisibleCharacter } from '../../lib/text/clean-text.ts';
import {
  creditableOf,
  earliestReport,
  firstItemOf,
  type GroupDecision,
  inReportOrder,
  type StoryGroup,
} from './story-group.ts';

export type GroupCommand =
  | ({ kind: 'pick'; text: string } & PickOptions)
  | ({ kind: 'edit'; text?: string } & PickOptions)
  | { kind: 'first'; item: number }
  | { kind: 'drop' }
  | { kind: 'restore' }
  /** The other groups join the first one. */
  | { kind: 'merge' }
  /** These items leave, and form a group of their own. */
  | { kind: 'split'; items: number[] }
  /** A rule of the configuration lets the group in, or credits its newcomers. */
  | { kind: 'rule' };

interface PickOptions {
  /** The editor's own headline; null: that of the first item. */
  headline?: string | null;
  /** The item that is named first. */
  first?: number;
  /** A section id of the config; null: none. */
  section?: string | null;
  hasPicture?: boolean;
}

export interface CommandContext {
  /** Editor who gives the command. */
  editor: string;
  now: number;
  /** The items that the editor saw: a pick credits no others. Default: all. */
  seen?: readonly number[] | undefined;
  /** The article that the first pick of the group creates. */
  newArticleId: string;
}

/** What a command makes of the groups that it names. */
export interface GroupChange {
  /** Groups with new items or a new decision. */
  changed: StoryGroup[];
  /** Ids that no longer name a group. */
  removed: number[];
}

/** The command does not suit the group: what is wrong, and what would be right. */
export class GroupCommandError extends ActionableError {
  override name = 'GroupCommandError';
  /** The part of the command that cannot be used; null for the command as a whole. */
  readonly part: 'text' | 'headline' | 'picture' | 'section' | null;

  /** @param message for the command line, which knows numbers of reports */
  constructor(problem: string, part: GroupCommandError['part'] = null, message = problem) {
    super(problem, [], message);
    this.part = part;
  }
}

/** Characters. An edition shows a sentence or two. */
export const MAX_SENTENCE = 2_000;
export const MAX_OWN_HEADLINE = 300;

/**
 * Decides what a command changes.
 * @param groups those that it names, at least one
 * @throws GroupCommandError if it does not suit them
 */
export function decideGroups(
  groups: readonly StoryGroup[],
  command: GroupCommand,
  context: CommandContext,
): GroupChange {
  const [group, ...others] = groups as [StoryGroup, ...StoryGroup[]];
  switch (command.kind) {
    case 'merge':
      return merge([group, ...others], context);
    case 'split':
      return split(group, command.items, context);
    case 'drop':
      return drop(group, context);
    case 'restore':
      return restore(group, context);
    case 'first':
      return nameFirst(group, command.item, context);
    case 'pick':
      return pick(group, { ...command, text: ownText(command.text) }, context);
    case 'edit':
      return edit(group, command, context);
    case 'rule':
      return pickByRule(group, context);
  }
}

function pick(
  group: StoryGroup,
  { text, ...options }: PickOptions & { text: string },
  context: CommandContext,
): GroupChange {
  const former = group.decision;
  const isEdit = former?.state === 'picked' && former.pickedBy === 'editor';
  return decide(group, context, {
    ...{ state: 'picked', pickedBy: 'editor', text },
    pickedAt: former?.pickedAt ?? context.now,
    articleId: former?.articleId ?? context.newArticleId,
    // A rule's pick, or one that was taken back, is picked as if for the first time.
    ...(isEdit ? {} : { headline: null, section: null, hasPicture: false }),
    ...optionsOf(group, options),
    ...credits(group, options.first ?? former?.firstItem ?? null, context),
  });
}

function edit(
  group: StoryGroup,
  { text, ...options }: Extract<GroupCommand, { kind: 'edit' }>,
  context: CommandContext,
): GroupChange {
  const { decision } = group;
  if (decision?.state !== 'picked') throw new GroupCommandError('it is not picked: use pick');
  if (decision.pickedBy === 'rule') throw new GroupCommandError('a rule picked it: use pick, which makes it yours');
  return decide(group, context, {
    ...(text === undefined ? {} : { text: ownText(text) }),
    ...optionsOf(group, options),
    ...credits(group, options.first ?? decision.firstItem, context),
  });
}

function optionsOf(group: StoryGroup, { headline, section, hasPicture }: PickOptions): Partial<GroupDecision> {
  if (hasPicture === true && group.items.every(({ imageUrl }) => imageUrl === null)) {
    throw new GroupCommandError('no report of it has a picture', 'picture');
  }
  return {
    ...(headline === undefined ? {} : { headline: headline === null ? null : ownHeadline(headline) }),
    ...(section === undefined ? {} : { section }),
    ...(hasPicture === undefined ? {} : { hasPicture }),
  };
}

/**
 * The items that the editor saw, and the one that is named first, which is credited in any case: the editor's choice,
 * else the earliest that he saw. A report that comes later, however it is dated, takes no place from it.
 */
function credits(
  { items }: StoryGroup,
  first: number | null,
  context: Pick<CommandContext, 'seen'>,
): Pick<GroupDecision, 'firstItem' | 'creditedItems'> {
  if (first !== null) requireMember(items, first);
  const seen = new Set([...seenItems(items, context), first]);
  const credited = items.filter(({ id }) => seen.has(id));
  return { firstItem: first ?? earliestReport(credited)?.id ?? null, creditedItems: credited.map(({ id }) => id) };
}

/** Ids of the items that the editor saw. */
function seenItems(items: StoryGroup['items'], { seen }: Pick<CommandContext, 'seen'>): number[] {
  const isSeen = seen === undefined ? null : new Set(seen);
  return items.map(({ id }) => id).filter((id) => isSeen === null || isSeen.has(id));
}

function nameFirst(group: StoryGroup, item: number, context: CommandContext): GroupChange {
  requireMember(group.items, item);
  const credited = group.decision?.creditedItems ?? [];
  const isPicked = group.decision?.state === 'picked';
  return decide(group, context, {
    firstItem: item,
    ...(isPicked && !credited.includes(item) ? { creditedItems: [...credited, item] } : {}),
  });
}

function drop(group: StoryGroup, context: CommandContext): GroupChange {
  if (group.decision?.state === 'dropped') throw new GroupCommandError(`${group.decision.editor} dropped it already`);
  return decide(group, context, { state: 'dropped' });
}

function restore(group: StoryGroup, context: CommandContext): GroupChange {
  const { decision } = group;
  if (decision === null || decision.state === 'open') {
    throw new GroupCommandError('it is neither picked nor dropped: there is nothing to take back');
  }
  if (decision.state === 'picked' && decision.pickedBy === 'rule') {
    throw new GroupCommandError('a rule picked it, and would pick it again: drop it');
  }
  return decide(group, context, { state: 'open' });
}

function merge(groups: readonly StoryGroup[], context: CommandContext): GroupChange {
  const distinct = [...new Map(groups.map((group) => [group.id, group])).values()];
  if (distinct.length < 2) {
    throw new GroupCommandError(
      groups.length < 2 ? 'merge takes two groups or more' : 'these reports are in one group already',
    );
  }
  const picked = distinct.filter(({ decision }) => decision?.state === 'picked');
  if (picked.length > 1) {
    throw new GroupCommandError(
      `${picked.length} of these groups are picked, and one article remains of a group: drop the others first`,
    );
  }
  const open = distinct.find(({ decision }) => decision === null || decision.state === 'open');
  const target = picked[0] ?? open ?? (distinct[0] as StoryGroup);
  const items = inReportOrder(distinct.flatMap((group) => group.items));
  const removed = distinct.filter((group) => group !== target).map(({ id }) => id);
  const credited = target.decision?.creditedItems ?? [];
  // The editor who merges has read the reports that join.
  const joining = seenItems(
    items.filter((item) => !target.items.includes(item)),
    context,
  );
  const creditedItems = picked.length > 0 ? [...credited, ...joining] : credited;
  return { changed: decide({ ...target, items }, context, { creditedItems }).changed, removed };
}

function split(group: StoryGroup, ids: readonly number[], context: CommandContext): GroupChange {
  const leaving = new Set(ids);
  for (const id of leaving) requireMember(group.items, id);
  const [left, kept] = [
    group.items.filter(({ id }) => leaving.has(id)),
    group.items.filter(({ id }) => !leaving.has(id)),
  ];
  const [earliest, earliestKept] = [left[0], kept[0]];
  if (earliest === undefined) throw new GroupCommandError('name the reports that leave');
  if (earliestKept === undefined) throw new GroupCommandError('all its reports would leave: name some of them');
  // The decision and its article stay with those that stay.
  const id = leaving.has(group.id) ? earliestKept.id : group.id;
  const { firstItem = null, creditedItems = [], state } = group.decision ?? {};
  const credited = creditedItems.filter((item) => !leaving.has(item));
  const earliestCredited = kept.find((item) => credited.includes(item.id)) ?? earliestKept;
  const nextFirst = state === 'picked' ? earliestCredited.id : null;
  const rest = decide({ ...group, id, items: kept }, context, {
    firstItem: firstItem !== null && leaving.has(firstItem) ? nextFirst : firstItem,
    creditedItems: state === 'picked' && credited.length === 0 ? [earliestKept.id] : credited,
  });
  const own = decide({ id: earliest.id, items: left, decision: null }, context, {});
  return {
    changed: [...rest.changed, ...own.changed],
    // Its id may be the one of the group that has left.
    removed: [group.id].filter((former) => former !== id && former !== earliest.id),
  };
}

/** A rule never decides about a group that an editor has picked or dropped, or whose pick an editor took back. */
function pickByRule(group: StoryGroup, context: CommandContext): GroupChange {
  const { decision } = group;
  const creditable = creditableOf(group);
  const creditedItems = creditable.items.map(({ id }) => id);
  if (decision?.state === 'picked' && decision.pickedBy === 'rule') {
    const isCurrent = creditedItems.every((id) => decision.creditedItems.includes(id));
    return isCurrent ? { changed: [], removed: [] } : decide(group, context, { creditedItems });
  }
  const isOfEditor = decision !== null && (decision.state !== 'open' || decision.pickedBy === 'editor');
  if (isOfEditor || creditedItems.length === 0) return { changed: [], removed: [] };
  return decide(group, context, {
    ...{ state: 'picked', pickedBy: 'rule', creditedItems },
    // As for an editor's pick: an earlier date that a later report claims takes neither headline nor link from it.
    firstItem: firstItemOf(creditable).id,
    pickedAt: decision?.pickedAt ?? context.now,
    articleId: decision?.articleId ?? context.newArticleId,
  });
}

/** The group with a changed decision. The revision grows with each, so that the article follows. */
function decide(group: StoryGroup, context: CommandContext, change: Partial<GroupDecision>): GroupChange {
  const [former, { editor, now }] = [group.decision ?? UNDECIDED, context];
  const decision = { ...former, ...change, editor, updatedAt: now, revision: former.revision + 1 };
  // Only editors leave a group open. For rules, it has what they saw; a report that comes later must be certain itself.
  const seen = new Set(decision.state === 'open' ? seenItems(group.items, context) : []);
  const items = group.items.map((item) => ({ ...item, isCertain: item.isCertain || seen.has(item.id) }));
  return { changed: [{ ...group, items, decision }], removed: [] };
}

const UNDECIDED: Omit<GroupDecision, 'editor' | 'updatedAt'> = {
  state: 'open',
  firstItem: null,
  headline: null,
  text: null,
  section: null,
  hasPicture: false,
  pickedBy: null,
  pickedAt: null,
  articleId: null,
  creditedItems: [],
  revision: 0,
  publishedRevision: 0,
};

function requireMember(items: StoryGroup['items'], id: number): void {
  if (items.some((one) => one.id === id)) return;
  const known = items.map((one) => one.id).join(', ');
  const message = `report ${id} is not in this group: it has ${known}`;
  throw new GroupCommandError('the report is no longer in this group', null, message);
}

/** @throws GroupCommandError */
function ownText(text: string): string {
  const cleaned = cleanText(text).trim();
  if (!hasVisibleCharacter(cleaned)) {
    throw new GroupCommandError('the sentence is empty: write what the story is, in your own words', 'text');
  }
  return withinLimit('sentence', cleaned, MAX_SENTENCE, 'text');
}

function ownHeadline(headline: string): string {
  const line = cleanLine(headline);
  if (!hasVisibleCharacter(line)) {
    throw new GroupCommandError('the headline is empty: leave it out, or write one', 'headline');
  }
  return withinLimit('headline', line, MAX_OWN_HEADLINE, 'headline');
}

function withinLimit(name: string, text: string, limit: number, part: 'text' | 'headline'): string {
  if (text.length <= limit) return text;
  throw new GroupCommandError(`the ${name} has ${text.length} characters: at most ${limit} are allowed`, part);
}
