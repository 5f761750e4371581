/**
 * The order of story groups in an editor's list. Pure.
 *
 * A group has one point for each outlet, and its points halve every twelve hours after its newest report: an event that
 * four outlets reported in the night is as strong in the morning as one that two report now.
 */
import { HOUR } from '../../lib/time.ts';
import { newestReport, outletsOf, type StoryGroup } from './story-group.ts';

const HALF_LIFE = 12 * HOUR;

/** The points of a group, for the order alone. */
function groupRank(group: StoryGroup, now: number): number {
  const age = Math.max(0, now - newestReport(group));
  return outletsOf(group.items).length * 0.5 ** (age / HALF_LIFE);
}

/** Strongest first; then the newest report; the id, which is unique, decides in the end. */
export function rankGroups(groups: readonly StoryGroup[], now: number): StoryGroup[] {
  const ranked = groups.map((group) => ({ group, rank: groupRank(group, now), newest: newestReport(group) }));
  ranked.sort((a, b) => b.rank - a.rank || b.newest - a.newest || a.group.id - b.group.id);
  return ranked.map(({ group }) => group);
}
