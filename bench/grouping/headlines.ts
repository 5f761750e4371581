/** Headlines of known stories, from a CSV file with the columns ID, TITLE, PUBLISHER and STORY. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

export interface Headline {
  title: string;
  outlet: string;
}

/** The headlines of one story. */
export type Story = Headline[];

/**
 * Reads the stories in an order that follows from their headlines alone: neither the order of the rows nor their ids
 * change it. Rows without title or story are left out.
 * @throws Error if the file has no such columns, or no headline
 */
export async function readStories(path: string): Promise<Story[]> {
  const stories = new Map<string, Story>();
  for (const { TITLE, PUBLISHER, STORY } of rowsOf(await readFile(path, 'utf8'), path)) {
    const headline = { title: unescaped(TITLE), outlet: unescaped(PUBLISHER) };
    if (headline.title === '' || STORY === '') continue;
    const known = stories.get(STORY);
    if (known === undefined) stories.set(STORY, [headline]);
    else known.push(headline);
  }
  if (stories.size === 0) throw new Error(`${path}: has no headlines`);
  const sorted = [...stories.values()].map((story) => story.sort((a, b) => compare(keyOf(a), keyOf(b))));
  return sorted.sort((a, b) => compare(a.map(keyOf).join('\n'), b.map(keyOf).join('\n')));
}

const FIELDS = z.object({ TITLE: z.string(), PUBLISHER: z.string(), STORY: z.string() });

/** Stands for a comma that a backslash escapes, while the line is split at the others. */
const ESCAPED_COMMA = '\ue000';

function rowsOf(text: string, path: string): z.infer<typeof FIELDS>[] {
  const rows: unknown[] = parse(text.replaceAll('\\,', ESCAPED_COMMA), {
    ...{ columns: true, bom: true, skip_empty_lines: true, trim: true },
    ...{ relax_quotes: true, relax_column_count: true },
  });
  return rows.map((row, index) => {
    const { data } = FIELDS.safeParse(row);
    if (data === undefined) throw new Error(`${path}: row ${index + 1} lacks one of TITLE, PUBLISHER and STORY`);
    return data;
  });
}

function unescaped(text: string): string {
  return text.replaceAll(ESCAPED_COMMA, ',').replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').trim();
}

function keyOf({ title, outlet }: Headline): string {
  return `${title}\t${outlet}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
