/** Output of the commands of `daywire roundup`. */
import { plainLine } from '../../lib/text/clean-text.ts';
import { count } from '../../lib/text/count.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { formatDuration, localDateTime, MINUTE } from '../../lib/time.ts';
import type { AddedReport } from '../story-groups/add-report.ts';
import type { BrowsedGroup, GroupPage, WithheldSource } from '../story-groups/browse-groups.ts';
import type { GroupCommand } from '../story-groups/commands.ts';
import type { GroupEdit } from '../story-groups/edit-groups.ts';
import { sharedWords } from '../story-groups/shared-words.ts';
import { firstItemOf, newItems, outletsOf, reportedAt, type StoryGroup } from '../story-groups/story-group.ts';

interface GroupListing extends GroupPage {
  /** Groups of the window that an editor dropped, and that are not listed. */
  dropped: number;
  /** Why the newest reports are missing, or null. */
  problem: string | null;
}

/** Characters of a headline in a list, and of outlets' names. */
const LINE = 100;
const NAMES = 80;

/** @param zone of the publication */
export function formatListing(listing: GroupListing, zone: string): string {
  const { groups, more, dropped, withheld, unpolled, problem, now } = listing;
  return [
    ...(groups.length > 0 ? groups.flatMap((one) => formatListed(one, now, zone)) : [formatNothing(listing)]),
    ...(more > 0 ? [`${count(more, 'more group')}: --limit ${groups.length + more}`] : []),
    ...(dropped > 0 ? [`${count(dropped, 'dropped group')}: --all`] : []),
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
 * g17  Chatbot Maker Files for Hong Kong Listing
 *     The Example 2026-11-24 07:12; also Other Outlet, Third Outlet; 40 min ago; perhaps the same: g21
 *     in common: Hong Kong, listing
 * ```
 */
function formatListed({ group, newestAt, similar }: BrowsedGroup, now: number, zone: string): string[] {
  const [first, newReports] = [firstItemOf(group), newItems(group).length];
  const others = outletsOf([first, ...group.items]).slice(1);
  const marks = [
    `${plainLine(first.outlet)} ${localDateTime(reportedAt(first), zone)}`,
    ...(others.length > 0 ? [`also ${shorten(others.map(plainLine).join(', '), NAMES)}`] : []),
    now - newestAt < MINUTE ? 'just now' : `${formatDuration(now - newestAt)} ago`,
    ...stateOf(group),
    ...(newReports > 0 ? [`${count(newReports, 'new report')} since`] : []),
    ...(similar.length > 0 ? [`perhaps the same: ${similar.map((id) => `g${id}`).join(', ')}`] : []),
  ];
  const shared = shorten(plainLine(sharedWords(group.items).join(', ')), LINE);
  const lines = [`g${group.id}  ${headlineOf(group)}`, `    ${marks.join('; ')}`];
  return shared === '' ? lines : [...lines, `    in common: ${shared}`];
}

function stateOf({ decision }: StoryGroup): string[] {
  if (decision === null || decision.state === 'open') return [];
  const by = decision.state === 'picked' && decision.pickedBy === 'rule' ? 'a rule' : plainLine(decision.editor);
  return [`${decision.state} by ${by}`];
}

function formatWithheld({ source, state, reason, items }: WithheldSource): string {
  const why = reason === null ? '' : ` (${plainLine(reason)})`;
  if (state === 'held')
    return `${source} is held with ${count(items, 'item')}${why}: "daywire sources accept ${source}"`;
  return `${source} is ${state}${why}${state === 'gone' ? `: "daywire sources resume ${source}"` : ''}`;
}

/** The headline that the roundup shows. */
function headlineOf(group: StoryGroup): string {
  return shorten(plainLine(group.decision?.headline ?? firstItemOf(group).title), LINE);
}

/** One line for what a command changed, and lines for what is wrong with the article. */
export function formatGroupEdit(command: GroupCommand['kind'], { groups, problems }: GroupEdit): string {
  const [group] = groups as [StoryGroup];
  const outlets = outletsOf([firstItemOf(group), ...group.items]).map(plainLine);
  const done = { pick: 'picked', drop: 'dropped', restore: 'restored' }[command as string] ?? command;
  return [`${done} g${group.id}: ${headlineOf(group)} (${shorten(outlets.join(', '), NAMES)})`, ...problems].join('\n');
}

export function formatAdded({ id, isNew, report }: AddedReport, zone: string): string[] {
  const { outlet, title, url, publishedAt } = report;
  const time = publishedAt === null ? 'no date' : localDateTime(publishedAt, zone);
  return [
    `${isNew ? 'added' : 'known already as'} g${id}: ${plainLine(title)}`,
    `    ${plainLine(outlet)}, ${time}`,
    `    ${url}`,
  ];
}

/** For programs. */
export function groupEditJson({ groups, problems }: GroupEdit): object {
  return { groups: groups.map(groupJson), problems };
}

function groupJson(group: StoryGroup): object {
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
export function listingJson({ groups, now, seen: _, ...rest }: GroupListing): object {
  return {
    at: now,
    ...rest,
    groups: groups.map(({ group, newestAt, similar }) => ({
      newestAt,
      similar: similar.map((id) => `g${id}`),
      outlets: outletsOf(group.items),
      shared: sharedWords(group.items),
      ...groupJson(group),
    })),
  };
}
