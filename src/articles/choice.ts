/** A subscriber's choice of articles: sections, topics (tags) and reporters. Pure. */
import type { Article } from './article.ts';
import { reporterFacets, slugsOf } from './facets/facets.ts';

/** An article is chosen if its section, one of its tags or one of its reporters is. With no value, all are chosen. */
export interface Choice {
  /** Ids. */
  sections: readonly string[];
  /** Slugs. */
  tags: readonly string[];
  /** Slugs. */
  reporters: readonly string[];
  /** An edition with fewer chosen stories is not mailed. From 1. */
  atLeast: number;
}

/** The members of `Choice` that name facets. */
export const CHOICE_FACETS = ['sections', 'tags', 'reporters'] as const;

/** Facets of a story: ids of sections, slugs of tags and reporters. An event has those of all its reports. */
export type ChoiceFacets = Record<(typeof CHOICE_FACETS)[number], readonly string[]>;

export const EVERYTHING: Choice = { sections: [], tags: [], reporters: [], atLeast: 1 };

/** Bytes of the values of a choice, which is indexed: PostgreSQL allows 2,704. More than most forms offer. */
const MAX_BYTES = 2_300;
export const MAX_AT_LEAST = 20;

/**
 * The canonical form in which a choice is stored and compared: sorted, without duplicates and defaults.
 * @param choice tags and reporters as names or slugs
 * @returns JSON; null if everything is chosen
 */
export function choiceText({ sections, tags, reporters, atLeast }: Choice): string | null {
  const values = { sections: [...new Set(sections)], tags: slugsOf([...tags]), reporters: slugsOf([...reporters]) };
  const parts: Record<string, unknown> = {};
  let room = MAX_BYTES;
  for (const facet of CHOICE_FACETS) {
    const kept = values[facet].sort().filter((value) => {
      room -= Buffer.byteLength(JSON.stringify(value)) + 1;
      return room >= 0;
    });
    if (kept.length > 0) parts[facet] = kept;
  }
  const least = Math.min(Math.max(Math.trunc(atLeast) || 1, 1), MAX_AT_LEAST);
  if (least > 1) parts.atLeast = least;
  return Object.keys(parts).length === 0 ? null : JSON.stringify(parts);
}

/** Reads what `choiceText` wrote. */
export function readChoice(text: string | null): Choice {
  return text === null ? EVERYTHING : { ...EVERYTHING, ...(JSON.parse(text) as Partial<Choice>) };
}

/** Whether a choice names no section, topic or reporter. */
export function isEverything(choice: Choice): boolean {
  return CHOICE_FACETS.every((facet) => choice[facet].length === 0);
}

export function isChosen(facets: ChoiceFacets, choice: Choice): boolean {
  return (
    isEverything(choice) || CHOICE_FACETS.some((facet) => facets[facet].some((one) => choice[facet].includes(one)))
  );
}

/** The facets of a story: those of all its reports. */
export function choiceFacets(reports: readonly Pick<Article, 'section' | 'tags' | 'bylines'>[]): ChoiceFacets {
  return {
    sections: [...new Set(reports.flatMap(({ section }) => section ?? []))],
    tags: slugsOf(reports.flatMap(({ tags }) => tags)),
    reporters: [...new Set(reports.flatMap((one) => reporterFacets(one).map(({ slug }) => slug)))],
  };
}
