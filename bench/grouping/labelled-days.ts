/**
 * Whole news days, from CSV files with the columns day, id, title, summary, publisher, published, story, digest and
 * doubt. Days that only serve as past need no labels.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import type { GroupingItem } from '../../src/outlets/grouping/grouping-item.ts';
import { type Frequencies, frequenciesOf, sumFrequencies } from '../../src/outlets/grouping/term-frequencies.ts';

export interface LabelledItem {
  /** `id` is its place in the day. */
  item: GroupingItem;
  story: string;
  /** It tells of many events. */
  isDigest: boolean;
  /** A reasonable editor might have given it another story. */
  isDoubtful: boolean;
}

export interface NewsDay {
  /** ISO 8601, such as `2020-06-10`. */
  day: string;
  items: LabelledItem[];
}

const ROW = z.object({
  ...{ day: z.iso.date(), title: z.string().min(1), summary: z.string(), publisher: z.string().min(1) },
  ...{ published: z.iso.datetime(), story: z.string(), digest: z.string(), doubt: z.string() },
});

/** @returns the days in order; @throws Error if the file has no such columns, or no row */
export async function readDays(path: string): Promise<NewsDay[]> {
  const rows: unknown[] = parse(await readFile(path, 'utf8'), { columns: true, bom: true, skip_empty_lines: true });
  const read = rows.map((row, index) => {
    const { data, error } = ROW.safeParse(row);
    if (data === undefined) throw new Error(`${path}: row ${index + 1}: ${z.prettifyError(error)}`);
    return data;
  });
  if (read.length === 0) throw new Error(`${path}: has no rows`);
  const days = Map.groupBy(read, ({ day }) => day);
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, items]) => ({ day, items: items.map((row, id) => toLabelled(row, id)) }));
}

function toLabelled({ title, summary, publisher, published, ...labels }: z.infer<typeof ROW>, id: number) {
  return {
    item: {
      ...{ id, title, outlet: publisher, summary: summary === '' ? null : summary, canonicalUrl: null },
      ...{ language: 'en', at: Date.parse(published) },
    },
    // An item without a label is a story of its own.
    story: labels.story === '' ? `${id}` : labels.story,
    isDigest: labels.digest === '1',
    isDoubtful: labels.doubt === '1',
  };
}

/** Counts the terms of days, each event once. */
export function countTerms(days: readonly NewsDay[]): Frequencies {
  const counted = days.map(({ items }) => {
    const stories = Map.groupBy(items, ({ story }) => story);
    return frequenciesOf([...stories.values()].map((reports) => reports.map(({ item }) => item)));
  });
  return sumFrequencies(counted);
}
