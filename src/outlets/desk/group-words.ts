/**
 * Story groups and commands in words. Pure.
 */
import { shorten } from '../../lib/text/shorten.ts';
import type { RoundupLogEntry } from '../story-groups/change-groups.ts';
import { firstItemOf, type StoryGroup } from '../story-groups/story-group.ts';

/** Characters of a text that is quoted in a line. */
const QUOTED = 160;

/** The headline that the roundup shows, or would show. */
export function headlineOf(group: StoryGroup): string {
  return group.decision?.headline ?? firstItemOf(group).title;
}

/** `1 report`, `1,204 reports`. */
export function countWithNoun(count: number, one: string, many = `${one}s`): string {
  return `${new Intl.NumberFormat('en-US').format(count)} ${count === 1 ? one : many}`;
}

/**
 * What a command did, as it follows the name of who gave it.
 * @param outletOf the outlet of a report, if it is known
 */
export function commandWords({ command, groups }: RoundupLogEntry, outletOf: (id: number) => string | null): string {
  const report = (id: number): string => outletOf(id) ?? `report ${id}`;
  switch (command.kind) {
    case 'pick':
      return `picked it: “${shorten(command.text, QUOTED)}”`;
    case 'edit':
      return command.text === undefined ? 'edited it' : `edited it: “${shorten(command.text, QUOTED)}”`;
    case 'first':
      return `named ${report(command.item)} first`;
    case 'drop':
      return 'dropped it';
    case 'restore':
      return 'restored it: neither picked nor dropped';
    case 'merge':
      return `merged ${groups.length} groups: ${groups.map((id) => `g${id}`).join(', ')}`;
    case 'split':
      return `made a group of ${command.items.map(report).join(', ')}`;
    case 'rule':
      return 'let it in, or credited new reports';
  }
}
