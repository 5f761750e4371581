/**
 * Groups whole news days, and compares the groups with their labels. Background frequencies are only of other days: of
 * the 30 days before in the file of the past, without the last one, which a newsroom has not counted yet; without such
 * a file, of all other labelled days. The same with three days of past, and with none, is shown beside it.
 */
import { DAY } from '../../src/lib/time.ts';
import { groupItems } from '../../src/outlets/grouping/group-items.ts';
import { type Figures, median } from '../figures.ts';
import { addDayCounts, countDayGroups, type DayCounts, daySharesOf, NO_COUNTS } from './day-scores.ts';
import { countTerms, type NewsDay, readDays } from './labelled-days.ts';
import { measureLoad } from './load.ts';

/** How many days a newsroom counts. */
const PAST_DAYS = 30;

/** @throws Error if a file cannot be read as one of news days */
export async function benchDays(path: string, pastPath: string | undefined): Promise<Figures> {
  const days = await readDays(path);
  const past = pastPath === undefined ? null : await readDays(pastPath);
  const pastOf = ({ day }: NewsDay, count: number): NewsDay[] =>
    past === null
      ? days.filter((other) => other.day !== day).slice(0, count)
      : past.filter((other) => Date.parse(other.day) <= Date.parse(day) - 2 * DAY).slice(-count);
  const usual = days.map((day) => groupDay(day, pastOf(day, PAST_DAYS)));
  const total = (grouped: readonly GroupedDay[]) =>
    daySharesOf(grouped.map(({ counts }) => counts).reduce(addDayCounts, NO_COUNTS));
  const load = await measureLoad(
    days.flatMap(({ items }) => items.map(({ item }) => item)),
    countTerms(pastOf(days[0] as NewsDay, PAST_DAYS)),
  );
  return {
    ...total(usual),
    millisecondsADay: median(usual.map(({ milliseconds }) => milliseconds)),
    ...{ milliseconds: load.milliseconds, mib: load.mib },
    pastDays: median(days.map((day) => pastOf(day, PAST_DAYS).length)),
    days: Object.fromEntries(days.map(({ day }, index) => [day, daySharesOf((usual[index] as GroupedDay).counts)])),
    threePastDays: total(days.map((day) => groupDay(day, pastOf(day, 3)))),
    noPast: total(days.map((day) => groupDay(day, []))),
  };
}

interface GroupedDay {
  counts: DayCounts;
  milliseconds: number;
}

function groupDay({ items }: NewsDay, past: readonly NewsDay[]): GroupedDay {
  const frequencies = countTerms(past);
  const start = performance.now();
  const grouping = groupItems({ items: items.map(({ item }) => item), frozen: [], frequencies });
  const milliseconds = Math.round(performance.now() - start);
  return { counts: countDayGroups(items, grouping), milliseconds };
}
