/** Titles of sections, kickers, tags, reporters and kinds, for feeds and the page that lists them. */
import type { KINDS } from '../../core/config/config.ts';
import { cleanLine } from '../../lib/text/clean-text.ts';

const MAX_NAMES = 3;

export const KIND_TITLES: Record<(typeof KINDS)[number], string> = {
  brief: 'Briefs',
  analysis: 'Analysis',
  feature: 'Features',
  'roundup-item': 'Roundup Items',
  roundup: 'Roundups',
};

/** `C, C#, C++` for names that share a slug. Names that differ in case only are listed once. @param names not empty */
export function facetTitle(names: string[]): string {
  const byLetters = new Map<string, string>();
  for (const name of names) {
    const letters = name.toLowerCase();
    if (!byLetters.has(letters)) byLetters.set(letters, cleanLine(name));
  }
  const distinct = [...byLetters.values()];
  return distinct.length > MAX_NAMES ? `${distinct.slice(0, MAX_NAMES).join(', ')} …` : distinct.join(', ');
}
