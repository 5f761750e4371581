/** A report of a group, as an editor names it. Pure. */

import { CommandError } from '../../core/cli/context.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import type { GroupedItem, StoryGroup } from '../story-groups/story-group.ts';

/**
 * Finds a report by `g` and its id, or by its outlet: the name, in any case, or the beginning of it, also
 * without "The".
 * @throws CommandError where none or several match
 */
export function reportNamed({ id, items }: StoryGroup, name: string): GroupedItem {
  const wanted = name.trim().toLowerCase();
  const outlet = (item: GroupedItem): string => item.outlet.toLowerCase();
  const matches = [
    items.filter((item) => wanted === `g${item.id}`),
    items.filter((item) => outlet(item) === wanted),
    items.filter((item) => wanted !== '' && outlet(item).startsWith(wanted)),
    items.filter((item) => wanted !== '' && outlet(item).replace(/^the /, '').startsWith(wanted)),
  ];
  const [found, another] = matches.find((some) => some.length > 0) ?? [];
  if (found !== undefined && another === undefined) return found;
  const reports = items.map((item) => `${plainLine(item.outlet)} (g${item.id})`).join(', ');
  throw new CommandError(
    found === undefined
      ? `${plainLine(name)} names no report of g${id}: it has ${reports}`
      : `${plainLine(name)} names several reports of g${id}: use the id, of ${reports}`,
  );
}
