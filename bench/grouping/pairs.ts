/** Groups pairs of headlines in Chinese and Japanese that are labelled by hand. */
import { groupItems } from '../../src/outlets/grouping/group-items.ts';
import type { GroupingItem } from '../../src/outlets/grouping/grouping-item.ts';
import { type Frequencies, frequenciesOf, sumFrequencies } from '../../src/outlets/grouping/term-frequencies.ts';

/** Headlines of one subject, of which each two make a pair. */
interface Block {
  language: string;
  headlines: { event: string; title: string }[];
}

export interface LabelledPair {
  language: string;
  titles: [string, string];
  isSameEvent: boolean;
  outcome: 'joined' | 'suggested' | 'apart';
}

/** Days on which the other blocks were reported. */
const PAST_DAYS = 30;

/**
 * Groups the two headlines of each pair, with term frequencies of the other blocks alone.
 * @param text of tests/outlets/grouping/headline-pairs.txt
 */
export function groupPairs(text: string): LabelledPair[] {
  const blocks = text.split(/\n{2,}/).flatMap((part) => readBlock(part) ?? []);
  return blocks.flatMap((block) => {
    const others = blocks.filter(({ language }) => language === block.language).filter((other) => other !== block);
    const frequencies = sumFrequencies(Array<Frequencies>(PAST_DAYS).fill(frequenciesOf(others.flatMap(eventsOf))));
    return pairsOf(block.headlines).map(([a, b]) => ({
      language: block.language,
      titles: [a.title, b.title] as [string, string],
      isSameEvent: a.event === b.event,
      outcome: outcomeOf(toItem(a.title, 0, block), toItem(b.title, 1, block), frequencies),
    }));
  });
}

function readBlock(part: string): Block | null {
  const [language = '', ...lines] = part.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (language === '') return null;
  return { language, headlines: lines.map((line) => ({ event: line.slice(0, 1), title: line.slice(2) })) };
}

function eventsOf(block: Block): GroupingItem[][] {
  const events = Map.groupBy(block.headlines, ({ event }) => event);
  return [...events.values()].map((headlines) => headlines.map(({ title }, index) => toItem(title, index, block)));
}

function pairsOf<T>(values: readonly T[]): [T, T][] {
  return values.flatMap((a, index) => values.slice(index + 1).map((b): [T, T] => [a, b]));
}

function toItem(title: string, id: number, { language }: Block): GroupingItem {
  return { id, outlet: `outlet ${id}`, title, summary: null, canonicalUrl: null, language, at: 0 };
}

function outcomeOf(a: GroupingItem, b: GroupingItem, frequencies: Frequencies): LabelledPair['outcome'] {
  const { groups, suggestions } = groupItems({ items: [a, b], frozen: [], frequencies });
  if (groups.length === 1) return 'joined';
  return suggestions.length === 0 ? 'apart' : 'suggested';
}

/** Figures of the pairs of one language. Shares to three digits; null where nothing was joined. */
export function scorePairs(pairs: readonly LabelledPair[], language: string): Record<string, number | null> {
  const own = pairs.filter((pair) => pair.language === language);
  const same = own.filter(({ isSameEvent }) => isSameEvent);
  const joined = own.filter(({ outcome }) => outcome === 'joined');
  const right = same.filter(({ outcome }) => outcome === 'joined');
  return {
    [`${language}Pairs`]: own.length,
    [`${language}PairPrecision`]: share(right.length, joined.length),
    [`${language}PairRecall`]: share(right.length, same.length),
    [`${language}PairRecallWithSuggestions`]: share(
      same.filter(({ outcome }) => outcome !== 'apart').length,
      same.length,
    ),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1_000) / 1_000;
}
