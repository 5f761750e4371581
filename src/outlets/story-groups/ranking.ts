/**
 * The order of story groups in an editor's list. Pure.
 *
 * A group has one point for each outlet, and its points halve every twelve hours after its newest report: an event that
 * four outlets reported in the night is as strong in the morning as one that two report now. All points halve at the
 * same pace, so the order of two groups stays as it is while no report comes.
 */
import { HOUR } from '../../lib/time.ts';

/** What the order depends on. */
export interface Rankable {
  id: number;
  /** Number of outlets. */
  outlets: number;
  /** The instant of the latest report, epoch milliseconds. */
  newestAt: number;
}

/** The place of a group in the order. */
export interface GroupRank {
  /** The instant, in epoch milliseconds, of a single report that is as strong as the group. */
  score: number;
  id: number;
}

const HALF_LIFE = 12 * HOUR;

/** Strongest first, each with its rank. */
export function rankGroups<Group extends Rankable>(groups: readonly Group[]): (Group & GroupRank)[] {
  return groups.map((group) => ({ ...group, score: scoreOf(group) })).sort(compareRanks);
}

function scoreOf({ outlets, newestAt }: Rankable): number {
  return Math.round(newestAt + HALF_LIFE * Math.log2(outlets));
}

/** Negative if `a` comes first. The id, which is unique, decides in the end. */
export function compareRanks(a: GroupRank, b: GroupRank): number {
  return b.score - a.score || a.id - b.id;
}
