/**
 * How strong a story is as the lead of an edition; the reasons stand in docs/decisions/2026-11-24-lead.md.
 */
import type { Candidate } from './candidates.ts';

export interface LeadRules {
  /** Kickers that lead, strongest first. */
  leadKickers: readonly string[];
  /** Section ids in the order of their weight. */
  sections: readonly string[];
}

/**
 * Orders the strongest first: pinned stories, the newest pinned before the others; then by kicker, then by section, then the newest.
 */
export function byStrength(rules: LeadRules): (a: Candidate, b: Candidate) => number {
  const rank = (list: readonly string[], value: string | null): number => {
    const index = value === null ? -1 : list.indexOf(value);
    return index < 0 ? list.length : index;
  };
  return (a, b) => {
    if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
    if (a.pinned) return newestFirst(a, b);
    return (
      rank(rules.leadKickers, a.kicker) - rank(rules.leadKickers, b.kicker) ||
      rank(rules.sections, a.section) - rank(rules.sections, b.section) ||
      newestFirst(a, b)
    );
  };
}

/** Newest first; the id, which is unique, decides between stories of the same instant. */
export function newestFirst(
  a: Pick<Candidate, 'id' | 'publishedAt'>,
  b: Pick<Candidate, 'id' | 'publishedAt'>,
): number {
  return b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
