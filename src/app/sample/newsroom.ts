/**
 * Loads the sample newsroom in sample/: articles, pictures and subscribers for a first start. Its articles are dated
 * relative to the moment it is loaded, and so are the reports of its outlets (outlet-client.ts).
 */
import { readdir, readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { parse } from 'yaml';
import { type ImportFile, textFile } from '../../articles/import/files/import-files.ts';
import { importFiles } from '../../articles/import/import.ts';
import type { ImportResultEntry } from '../../articles/import/result.ts';
import { addSubscriber } from '../../audience/subscriptions.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { Config } from '../../core/config/config.ts';
import { SAMPLE_LOADED_AT, writeMeta } from '../../core/store/meta.ts';
import type { Store } from '../../core/store/store.ts';
import { resolveTimes, SAMPLE } from '../../outlets/sample/relative-times.ts';
import { changeGroups } from '../../outlets/story-groups/change-groups.ts';
import { publishPicks } from '../../outlets/story-groups/publish-picks.ts';

export interface SampleResult {
  /** Articles of the sample that are now in the store. */
  articles: number;
  subscribers: number;
  /** Articles that this configuration does not allow, such as those of a section that it lacks. */
  rejected: ImportResultEntry[];
  warnings: ImportResultEntry[];
}

/**
 * Loads the sample into the store. Loading it twice with the same `now` changes nothing. Articles are stored last: a
 * store without articles has no complete sample.
 * @param options.now the moment to which the articles' times are relative, epoch milliseconds
 */
export async function loadSampleNewsroom(
  store: Store,
  config: Config,
  { now }: { now: number },
): Promise<SampleResult> {
  const subscribers = await addSampleSubscribers(store, config, now);
  await writeMeta(store.db, SAMPLE_LOADED_AT, String(now));
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
      const text = await readFile(new URL(name, folder), 'utf8');
      // Only there: a body may show the notation.
      const resolved = text.replace(FRONT_MATTER, (frontMatter) => resolveTimes(frontMatter, now));
      return textFile(`sample/articles/${name}`, resolved, 'markdown');
    }),
  );
}

async function addSampleSubscribers(store: Store, config: Config, now: number): Promise<number> {
  const known = new Set(config.newsletters.map((newsletter) => newsletter.id));
  const [, ...lines] = (await readFile(new URL('subscribers.csv', SAMPLE), 'utf8')).trim().split('\n');
  let added = 0;
  for (const [index, line] of lines.entries()) {
    const [email = '', ids = '', zone = ''] = line.split(',').map((field) => field.trim());
    const newsletters = ids.split(' ').filter((id) => known.has(id));
    if (newsletters.length === 0) continue;
    const subscriber = { email, newsletters, zone: zone === '' ? undefined : zone };
    const via = { channel: 'import', source: `sample/subscribers.csv:${index + 2}` } as const;
    const result = await addSubscriber(store.db, null, subscriber, via, now);
    if (result.kind === 'refused') throw new Error(`sample/subscribers.csv: ${result.reason}`);
    added += 1;
  }
  return added;
}

const FRONT_MATTER = /^---\n.*?\n---\n/s;

/** An entry of sample/outlets/picks.yaml. */
interface SamplePick {
  /** The address of one of the reports. */
  link: string;
  headline: string;
  text: string;
  section: string;
}

const EDITOR = 'Sample';

/**
 * Picks the groups that have these reports, unless somebody has decided about them. What the outlets have not reported
 * is left out.
 * @returns the number of picks
 */
export async function applySamplePicks(app: Pick<AppContext, 'config' | 'store' | 'clock'>): Promise<number> {
  const { store, config, clock } = app;
  const picks = parse(await readFile(new URL('outlets/picks.yaml', SAMPLE), 'utf8')) as SamplePick[];
  let picked = 0;
  for (const { link, section, ...own } of picks) {
    const item = await findUndecided(app, link);
    if (item === null) continue;
    const hasSection = config.sections.some(({ id }) => id === section);
    const command = { kind: 'pick', ...own, section: hasSection ? section : null } as const;
    await changeGroups(store, [{ items: [item], seen: null }], command, { editor: EDITOR, now: clock() });
    picked += 1;
  }
  // Also what an earlier start has picked, and not written.
  await publishPicks(store, config, clock);
  return picked;
}

/** @returns the id of an open item whose group nobody has decided about; null without one */
async function findUndecided({ store }: Pick<AppContext, 'store'>, link: string): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    select id from outlet_items where url = ${link} and state = 'open' and group_id is not null
      and not exists (select 1 from story_groups where story_groups.id = outlet_items.group_id)
    order by id limit 1`.execute(store.db);
  return rows[0]?.id ?? null;
}
