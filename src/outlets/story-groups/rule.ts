/** Rules of newsletters: which groups enter without an editor. Pure. */
import { outletsOf, reportedAt, type StoryGroup } from './story-group.ts';

export interface RoundupRule {
  /** Outlets that must have reported the event within the window. */
  outlets: number;
  windowMs: number;
}

/**
 * Whether a rule lets a group in, or has let it in: newcomers of its picks are credited. What an editor has picked,
 * dropped or taken back is none of its business.
 */
export function isLetIn({ items, decision }: StoryGroup, { outlets, windowMs }: RoundupRule, now: number): boolean {
  if (decision?.state === 'dropped' || decision?.pickedBy === 'editor') return false;
  if (decision?.state === 'picked') return true;
  const recent = items.filter((item) => reportedAt(item) >= now - windowMs);
  return outletsOf(recent).length >= outlets;
}
