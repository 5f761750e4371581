/** Words that tell why reports are one group. Pure. */
import { titleLanguage } from '../grouping/language.ts';
import { stemOf } from '../grouping/stems.ts';
import { isUnspaced } from '../grouping/unspaced-words.ts';
import { normalise, withoutApostrophes } from '../grouping/words.ts';
import type { GroupedItem } from './story-group.ts';

const SHOWN = 6;
/** What is read of a group, and of a text in UTF-16 units. */
const REPORTS = 20;
const LENGTH = 400;
/** A longer word is a hostile one. */
const WORD_LENGTH = 40;

const SEGMENTS = new Intl.Segmenter('und', { granularity: 'word' });
/** Numbers, `NATO` and `YouTube`; longer words in capitals are shouted. */
const MARKED = /\p{N}|^\p{Lu}{2,4}$|\p{Ll}\p{Lu}/u;

interface Word {
  key: string;
  text: string;
  index: number;
  /** In languages without capitals, every word counts as one. */
  isName: boolean;
}

/**
 * Words that two or more reports have, one of them in its title: at most six, in the spelling of a title. Names and
 * numbers of two titles come first, then those of a title and a summary, then other words of two titles. Parts of a
 * name, and words of languages without spaces between them, are joined where they are together in a title.
 */
export function sharedWords(reports: readonly Pick<GroupedItem, 'title' | 'summary' | 'language'>[]): string[] {
  if (reports.length < 2) return [];
  const texts = reports.slice(0, REPORTS).map(({ title, summary, language: tag }) => {
    const language = titleLanguage(title, tag);
    const inTitle = markWords(title, language);
    return { title, inTitle, words: [...inTitle, ...markWords(summary ?? '', language)] };
  });
  const titleCounts = countKeys(texts.map(({ inTitle }) => inTitle));
  const counts = countKeys(texts.map(({ words }) => words));
  const all = texts.flatMap(({ words }) => words);
  const written = new Set(all.map(({ text }) => text));
  // LOSES is no name where another report loses.
  const isShouted = (text: string) => /^\p{Lu}{5,}$/u.test(text) && written.has(text.toLowerCase());
  const names = new Set(all.filter(({ isName, text }) => isName && !isShouted(text)).map(({ key }) => key));
  const found: { text: string; rank: number; count: number; end: number }[] = [];
  const used = new Set<string>();
  for (const { title, inTitle } of texts) {
    let last: (typeof found)[number] | undefined;
    for (const { key, text, index } of inTitle) {
      const count = counts.get(key) ?? 0;
      const isInTitles = (titleCounts.get(key) ?? 0) > 1;
      const rank = names.has(key) ? Number(count > 1) * (isInTitles ? 3 : 2) : Number(isInTitles && text.length > 3);
      if (rank === 0 || used.has(key)) continue;
      used.add(key);
      const gap = title.slice(last?.end, index);
      const end = index + text.length;
      if (last !== undefined && rank > 1 && rank === last.rank && /^[ -]?$/.test(gap)) {
        Object.assign(last, { text: last.text + gap + text, end });
      } else {
        last = { text, rank, count, end };
        found.push(last);
      }
    }
  }
  return found
    .filter(({ text }) => text.length > 1)
    .sort((a, b) => b.rank - a.rank || b.count - a.count)
    .slice(0, SHOWN)
    .map(({ text }) => text);
}

/** Without stop words, and without particles and endings of Japanese. */
function markWords(text: string, language: string): Word[] {
  const read = text.slice(0, LENGTH);
  const parts = [...SEGMENTS.segment(read)].filter(({ isWordLike }) => isWordLike);
  const long = parts.filter(({ segment }) => segment.length > 3);
  // In A Headline Like This One, a capital tells nothing, nor does it at the beginning of a sentence.
  const hasCapitals = long.filter(({ segment }) => /^\p{Lu}/u.test(segment)).length > 0.8 * long.length;
  return parts.flatMap(({ segment, index }): Word[] => {
    const text = segment.replace(/['’]s$/, '');
    const key = stemOf(withoutApostrophes(normalise(text)), language);
    const isProper =
      !hasCapitals && /^\p{Lu}/u.test(text) && /[\p{L}\p{N},][ -]?$/u.test(read.slice(Math.max(index - 2, 0), index));
    const isName = isProper || isUnspaced(language) || (MARKED.test(text) && read !== read.toUpperCase());
    if (key === null || text.length > WORD_LENGTH || /^\p{Script=Hiragana}+$/u.test(text)) return [];
    return [{ key, text, index, isName }];
  });
}

/** The number of texts that have each word. */
function countKeys(texts: readonly Word[][]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of texts.flatMap((words) => [...new Set(words.map((word) => word.key))])) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
