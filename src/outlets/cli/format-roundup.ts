/** What the commands of `daywire roundup` print. */
import { count, table } from '../../core/cli/text.ts';
import { plainLine, truncate } from '../../lib/text/clean-text.ts';
import { formatDuration, localDateTime, MINUTE } from '../../lib/time.ts';
import type { WithheldSource } from '../story-groups/browse-groups.ts';
import type { GroupConflictError, RoundupLogEntry } from '../story-groups/change-groups.ts';
import type { GroupCommand } from '../story-groups/commands.ts';
import type { GroupEdit } from '../story-groups/edit-groups.ts';
import type { GroupListing, ListedGroup } from '../story-groups/list-groups.ts';
import {
  firstItemOf,
  type GroupedItem,
  newItems,
  outletsOf,
  reportedAt,
  type StoryGroup,
} from '../story-groups/story-group.ts';

/** Characters of a headline in a list, and of outlets' names. */
const LINE = 100;
const NAMES = 80;

/** @param zone of the publication */
export function formatListing(listing: GroupListing, zone: string): string {
  const { groups, more, dropped, withheld, unpolled, problem, now } = listing;
  const shown = groups.flatMap((listed) => formatListed(listed, now, zone));
  const hidden = [
    ...(more > 0 ? [`${count(more, 'more group')}: --limit ${groups.length + more}`] : []),
    ...(dropped > 0 ? [`${count(dropped, 'dropped group')}: --all`] : []),
  ];
  return [
    ...(shown.length > 0 ? shown : [formatNothing(listing)]),
    ...hidden,
    ...(problem === null ? [] : [`the newest reports are missing: they could not be grouped (${problem})`]),
    ...(unpolled > 0 ? [`not polled yet: ${count(unpolled, 'source')}; "daywire start" polls them`] : []),
    ...(withheld.length > 0 ? [`kept back: ${withheld.map(formatWithheld).join('; ')}`] : []),
  ].join('\n');
}

function formatNothing({ sources, unpolled, windowHours }: GroupListing): string {
  if (sources === 0) return 'no source has "use: roundup": "daywire sources add" adds one';
  return unpolled === sources ? 'nothing yet' : `nothing was reported in the last ${windowHours} hours`;
}

/**
 * ```
 *  1  Chatbot Maker Files for Hong Kong Listing
 *     The Example 2026-11-24 07:12; also Other Outlet, Third Outlet; 40 min; perhaps the same: 4
 * ```
 */
function formatListed({ number, group, newestAt, similar, ...listed }: ListedGroup, now: number, zone: string) {
  const { first, newReports } = listed;
  const others = outletsOf([first, ...group.items]).slice(1);
  const marks = [
    `${plainLine(first.outlet)} ${localDateTime(reportedAt(first), zone)}`,
    ...(others.length > 0 ? [`also ${truncate(others.map(plainLine).join(', '), NAMES)}`] : []),
    formatAge(now - newestAt),
    ...stateOf(group),
    ...(newReports > 0 ? [`${count(newReports, 'new report')} since`] : []),
    ...(similar.length > 0 ? [`perhaps the same: ${similar.join(', ')}`] : []),
  ];
  return [`${String(number).padStart(2)}  ${headlineOf(group)}`, `    ${marks.join('; ')}`];
}

function stateOf({ decision }: StoryGroup): string[] {
  if (decision === null || decision.state === 'open') return [];
  const by = decision.state === 'picked' && decision.pickedBy === 'rule' ? 'a rule' : plainLine(decision.editor);
  return [`${decision.state} by ${by}`];
}

function formatAge(milliseconds: number): string {
  return milliseconds < MINUTE ? 'just now' : `${formatDuration(milliseconds)} ago`;
}

function formatWithheld({ source, state, reason, items }: WithheldSource): string {
  const why = reason === null ? '' : ` (${plainLine(reason)})`;
  if (state === 'held')
    return `${source} is held with ${count(items, 'item')}${why}: "daywire sources accept ${source}"`;
  return `${source} is ${state}${why}${state === 'gone' ? `: "daywire sources resume ${source}"` : ''}`;
}

/** The headline that the roundup shows. */
function headlineOf(group: StoryGroup): string {
  return truncate(plainLine(group.decision?.headline ?? firstItemOf(group).title), LINE);
}

/** A group with all that is known of it. */
export function formatGroup(group: StoryGroup, zone: string): string {
  const { id, items, decision } = group;
  const first = firstItemOf(group);
  const fresh = new Set(newItems(group).map((item) => item.id));
  const [state = 'open'] = stateOf(group);
  return [
    `g${id}: ${headlineOf(group)}`,
    `${state}${decision?.articleId == null ? '' : `, article ${decision.articleId}`}`,
    ...(decision?.text == null ? [] : ['', ...linesOf(decision.text)]),
    ...(decision?.section == null ? [] : ['', `section: ${decision.section}`]),
    '',
    ...items.flatMap((item) => formatReport(item, { isFirst: item === first, isNew: fresh.has(item.id), zone })),
  ].join('\n');
}

function formatReport(item: GroupedItem, { isFirst, isNew, zone }: { isFirst: boolean; isNew: boolean; zone: string }) {
  const marks = [...(isFirst ? ['named first'] : []), ...(isNew ? ['new'] : [])];
  const outlet = `${plainLine(item.outlet)}, ${localDateTime(reportedAt(item), zone)}`;
  return [
    `g${item.id}  ${[outlet, ...marks].join('; ')}`,
    `    ${plainLine(item.title)}`,
    `    ${item.url}`,
    ...(item.summary === null ? [] : [`    ${truncate(plainLine(item.summary), 3 * LINE)}`]),
    ...(item.imageUrl === null ? [] : [`    picture: ${item.imageUrl}`]),
  ];
}

/** A text as it was typed, without what a terminal would obey. */
function linesOf(text: string): string[] {
  return text.split('\n').map(plainLine);
}

/** One line for what a command changed, and lines for what is wrong with the article. */
export function formatGroupEdit(command: GroupCommand['kind'], { groups, problems }: GroupEdit): string {
  const [group, ...others] = groups as [StoryGroup, ...StoryGroup[]];
  const made = others.map(({ id }) => `; g${id} is a group of its own`).join('');
  const outlets = outletsOf([firstItemOf(group), ...group.items]).map(plainLine);
  return [
    `${DONE[command]} g${group.id}: ${headlineOf(group)} (${truncate(outlets.join(', '), NAMES)})${made}`,
    ...problems,
  ].join('\n');
}

const DONE: Record<GroupCommand['kind'], string> = {
  ...{ pick: 'picked', edit: 'edited', first: 'named another outlet first in', drop: 'dropped', restore: 'restored' },
  ...{ merge: 'merged into', split: 'split', rule: 'let in by rule' },
};

/** For programs. */
export function groupEditJson({ groups, problems }: GroupEdit): object {
  return { groups: groups.map(groupJson), problems };
}

/** For programs. */
export function groupJson(group: StoryGroup): object {
  const { id, items, decision } = group;
  return {
    id,
    state: decision?.state ?? 'open',
    headline: decision?.headline ?? firstItemOf(group).title,
    first: firstItemOf(group).id,
    decision,
    reports: items.map((item) => ({ ...item, reportedAt: reportedAt(item) })),
    newReports: newItems(group).map((item) => item.id),
  };
}

/** For programs. */
export function listingJson({ groups, now, ...rest }: GroupListing): object {
  return {
    at: now,
    ...rest,
    groups: groups.map(({ number, group, newestAt, similar }) => ({
      number,
      newestAt,
      similar,
      outlets: outletsOf(group.items),
      ...groupJson(group),
    })),
  };
}

/** What others did to a group since the editor looked. */
export function formatGroupConflict({ message, entries }: GroupConflictError, zone: string): string[] {
  return [
    `${message}, so nothing was changed`,
    ...entries.map((entry) => `  ${localDateTime(entry.at, zone)} ${plainLine(entry.editor)} ${describeEntry(entry)}`),
    '  look again with "daywire roundup list", then repeat the command if it is still right',
  ];
}

/** @param log newest first */
export function formatRoundupLog(log: readonly RoundupLogEntry[], zone: string): string {
  if (log.length === 0) return 'no commands yet';
  return table(
    log.map((entry) => [
      ...[String(entry.number), localDateTime(entry.at, zone), plainLine(entry.editor)],
      describeEntry(entry),
    ]),
  ).join('\n');
}

function describeEntry({ command, groups, headline }: RoundupLogEntry): string {
  const [first, ...others] = groups.map((id) => `g${id}`);
  const story = `${first} ${truncate(plainLine(headline), NAMES)}`;
  switch (command.kind) {
    case 'pick':
      return `picked ${story}: ${truncate(plainLine(command.text), NAMES)}`;
    case 'edit':
      return `edited ${story}${command.text === undefined ? '' : `: ${truncate(plainLine(command.text), NAMES)}`}`;
    case 'first':
      return `named g${command.item} first in ${story}`;
    case 'merge':
      return `merged ${others.join(', ')} into ${story}`;
    case 'split':
      return `split ${command.items.map((id) => `g${id}`).join(', ')} from ${story}`;
    default:
      return `${DONE[command.kind]} ${story}`;
  }
}
