/**
 * The sample newsroom in sample/: stories, pictures and subscribers that make daywire run at once. Its stories are dated from the
 * moment of the demo.
 */
import { readdir, readFile } from 'node:fs/promises';
import { importFiles } from '../articles/import/import.ts';
import { type ImportFile, textFile } from '../articles/import/import-files.ts';
import type { ReportEntry } from '../articles/import/report.ts';
import type { Config } from '../config/config.ts';
import { DAY, HOUR, MINUTE, rfc3339 } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import { storeSubscriber } from '../subscribers/subscriptions.ts';

export interface SampleReport {
  /** Articles now in the store that came from the sample. */
  articles: number;
  subscribers: number;
  /** Articles that broke a rule of this configuration, such as one of a section that it does not have. */
  rejected: ReportEntry[];
  warnings: ReportEntry[];
}

/** Beside src/ in a checkout, and beside dist/ in the published package. */
const SAMPLE = new URL('../../sample/', import.meta.url);

/**
 * Fills the store with the sample newsroom. Twice at the same `now` is as good as once. Articles come last: where there is none,
 * the sample isn't whole.
 * @param options.now the moment from which the stories' times are counted, epoch milliseconds
 */
export async function loadSampleNewsroom(
  store: Store,
  config: Config,
  { now }: { now: number },
): Promise<SampleReport> {
  const subscribers = await addSampleSubscribers(store, config, now);
  const sources = await sampleSources(now);
  const { added, updated, unchanged, rejected, warnings } = await importFiles(store, config, sources, {
    clock: () => now,
  });
  return { articles: added + updated + unchanged, subscribers, rejected, warnings };
}

async function sampleSources(now: number): Promise<ImportFile[]> {
  const folder = new URL('articles/', SAMPLE);
  const names = (await readdir(folder)).filter((file) => file.endsWith('.md')).sort();
  return Promise.all(
    names.map(async (name) => {
      const written = await readFile(new URL(name, folder), 'utf8');
      return textFile(`sample/articles/${name}`, resolveTimes(written, now), 'markdown');
    }),
  );
}

async function addSampleSubscribers(store: Store, config: Config, now: number): Promise<number> {
  const known = new Set(config.newsletters.map((newsletter) => newsletter.id));
  const [, ...lines] = (await readFile(new URL('subscribers.csv', SAMPLE), 'utf8')).trim().split('\n');
  let added = 0;
  for (const [index, line] of lines.entries()) {
    const [email = '', wanted = '', zone = ''] = line.split(',').map((field) => field.trim());
    const newsletters = wanted.split(' ').filter((id) => known.has(id));
    if (newsletters.length === 0) continue;
    const who = { email, newsletters, zone: zone === '' ? undefined : zone };
    const origin = { channel: 'import', source: `sample/subscribers.csv:${index + 2}` } as const;
    const result = await storeSubscriber(store.db, who, origin, now);
    if (result.kind === 'refused') throw new Error(`sample/subscribers.csv: ${result.reason}`);
    added += 1;
  }
  return added;
}

const FRONT_MATTER = /^---\n.*?\n---\n/s;
const TIME = /\{\{ ([+-])(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)? \}\}/g;

/** Puts instants in place of the front matter's `{{ -1d3h20m }}`. Elapsed time, so that no change of the clock shifts a story. */
function resolveTimes(text: string, now: number): string {
  const minute = Math.floor(now / MINUTE) * MINUTE;
  return text.replace(FRONT_MATTER, (frontMatter) =>
    frontMatter.replace(TIME, (_, sign: string, days = 0, hours = 0, minutes = 0) => {
      const distance = Number(days) * DAY + Number(hours) * HOUR + Number(minutes) * MINUTE;
      return rfc3339(sign === '+' ? minute + distance : minute - distance);
    }),
  );
}
