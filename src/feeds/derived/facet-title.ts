/**
 * What a section, kicker, tag, reporter or kind is called in the titles of feeds and on their page.
 */

import type { KINDS } from '../../config/config.ts';
import { cleanLine } from '../../lib/clean-text.ts';

const MOST_NAMES = 3;

export const KIND_TITLES: Record<(typeof KINDS)[number], string> = {
  brief: 'Briefs',
  analysis: 'Analysis',
  feature: 'Features',
  'roundup-item': 'Roundup Items',
  roundup: 'Roundups',
};

/** The names that share a slug, as one: `C, C#, C++`. Those that differ only in case count once. @param names not empty */
export function facetTitle(names: string[]): string {
  const byLetters = new Map<string, string>();
  for (const name of names) {
    const letters = name.toLowerCase();
    if (!byLetters.has(letters)) byLetters.set(letters, cleanLine(name));
  }
  const distinct = [...byLetters.values()];
  return distinct.length > MOST_NAMES ? `${distinct.slice(0, MOST_NAMES).join(', ')} …` : distinct.join(', ');
}
