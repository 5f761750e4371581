/**
 * `--days` groups whole news days; see grouping/news-days.ts.
 *
 * `--data` groups the headlines of 20 invented days, whose stories are known. The stories are dealt into five parts.
 * For each part, all headlines of the day are grouped with the term frequencies of 30 other days of the stories in the
 * other parts, and the headlines of that part are scored: nothing of their own stories was known. Then come pairs of
 * headlines in Chinese and Japanese.
 */
import { readFile } from 'node:fs/promises';
import { groupItems } from '../src/outlets/grouping/group-items.ts';
import { type Frequencies, frequenciesOf, sumFrequencies } from '../src/outlets/grouping/term-frequencies.ts';
import type { Figures } from './figures.ts';
import { dealStories, drawDay } from './grouping/days.ts';
import { type Headline, readStories, type Story } from './grouping/headlines.ts';
import { toItem } from './grouping/items.ts';
import { measureLoad } from './grouping/load.ts';
import { benchDays } from './grouping/news-days.ts';
import { groupPairs, scorePairs } from './grouping/pairs.ts';
import { addCounts, type Counts, countDay, type Placed, scoresOf } from './grouping/scores.ts';

const DAYS = 20;
const PARTS = 5;
const PAST_DAYS = 30;
/** Seeds of the scored days are 1 to 20; of past days from here. */
const PAST_SEED = 1_000;

/** Labelled by hand; also read by a test. */
const PAIRS = new URL('../tests/outlets/grouping/headline-pairs.txt', import.meta.url);

export interface GroupingBench {
  /** CSV file of headlines. */
  data?: string;
  /** CSV file of labelled news days, instead. */
  days?: string;
  /** CSV file of the days before these. Default: the other labelled days. */
  past?: string;
}

/** @throws Error if a file cannot be read as one */
export function benchGrouping({ data, days, past }: GroupingBench): Promise<Figures> {
  return days === undefined ? benchHeadlines(data ?? '') : benchDays(days, past);
}

async function benchHeadlines(data: string): Promise<Figures> {
  const stories = await readStories(data);
  const parts = dealStories(stories.length, Math.min(PARTS, stories.length), 0);
  const counts = [...new Set(parts)].flatMap((part) => countPart(stories, parts, part));
  const pairs = groupPairs(await readFile(PAIRS, 'utf8'));
  return {
    ...scoresOf(addCounts(counts)),
    ...(await measureLoad(stories.flat().map(toItem), pastDay(stories, 0))),
    ...scorePairs(pairs, 'zh'),
    ...scorePairs(pairs, 'ja'),
  };
}

function countPart(stories: readonly Story[], parts: readonly number[], part: number): Counts[] {
  const others = stories.filter((_, story) => parts[story] !== part);
  const frequencies = sumFrequencies(Array.from({ length: PAST_DAYS }, (_, day) => pastDay(others, day)));
  return Array.from({ length: DAYS }, (_, day) => {
    const headlines = drawDay(stories, 1 + day);
    return countDay(placeHeadlines(headlines, frequencies), ({ story }) => parts[story] === part);
  });
}

function pastDay(stories: readonly Story[], day: number): Frequencies {
  return frequenciesOf(drawDay(stories, PAST_SEED + day).map((headlines) => headlines.map(toItem)));
}

/** Groups a day. Neither time nor id of a headline tells of its story. */
function placeHeadlines(stories: readonly Headline[][], frequencies: Frequencies): Placed[] {
  const headlines = stories.flatMap((story, number) => story.map((headline) => ({ headline, story: number })));
  const items = headlines.map(({ headline }, index) => toItem(headline, index));
  const { groups, suggestions } = groupItems({ items, frozen: [], frequencies });
  const suggested = new Map(groups.map(({ id }) => [id, new Set<number>()]));
  for (const { groupId, otherId } of suggestions) {
    suggested.get(groupId)?.add(otherId);
    suggested.get(otherId)?.add(groupId);
  }
  return groups.flatMap((group) =>
    group.items.map((item) => ({
      story: (headlines[item] as { story: number }).story,
      group: group.id,
      suggested: suggested.get(group.id) as Set<number>,
    })),
  );
}
