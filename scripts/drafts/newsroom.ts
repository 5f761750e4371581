/**
 * A small newsroom in a folder, for checks of drafts by several connections or processes: four stories, three
 * subscribers, one newsletter, and a slot whose edition can be made again and again.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KyselyPlugin } from 'kysely';
import { openParts } from '../../src/app/context-parts.ts';
import { textFile } from '../../src/articles/import/files/import-files.ts';
import { importFiles } from '../../src/articles/import/import.ts';
import { addSubscriber } from '../../src/audience/subscriptions.ts';
import type { AppContext } from '../../src/core/app-context.ts';
import { loadConfig } from '../../src/core/config/config.ts';
import type { NewsletterConfig } from '../../src/core/config/schema.ts';
import { migrate } from '../../src/core/store/schema.ts';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { type EditionSlot, editionSlot } from '../../src/editions/slot.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { HOUR, MINUTE, rfc3339 } from '../../src/lib/time.ts';

/** 07:30 on November 24, 2026, UTC. */
export const SLOT = Date.UTC(2026, 10, 24, 7, 30);
const STORIES = ['one', 'two', 'three', 'four'];
const SUBSCRIBERS = 3;
/** Of an editor. */
export const EDITOR = 'Ada';

/** Where a newsroom is. */
export interface NewsroomPlace {
  folder: string;
  /** Of an empty PostgreSQL database. Default: SQLite, in the folder. */
  databaseUrl?: string | undefined;
}

export interface DraftNewsroom {
  app: AppContext & { now: number };
  newsletter: NewsletterConfig;
  slot: EditionSlot;
}

/** Writes its configuration, and stores its stories and subscribers. */
export async function createNewsroom(place: NewsroomPlace): Promise<void> {
  mkdirSync(join(place.folder, 'config'), { recursive: true });
  mkdirSync(join(place.folder, 'var'), { recursive: true });
  writeFileSync(join(place.folder, 'config/daywire.yaml'), CONFIG);
  const { app, newsletter } = await openNewsroom(place, SLOT - 30 * MINUTE, { isNew: true });
  const { store, config, clock } = app;
  try {
    const files = STORIES.map((id, n) => textFile(`${id}.md`, markdown(id, n), 'markdown'));
    const { rejected } = await importFiles(store, config, files, { clock });
    if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
    for (let n = 1; n <= SUBSCRIBERS; n++) {
      const subscriber = { email: `subscriber${n}@example.com`, newsletters: [newsletter.id] };
      await addSubscriber(store.db, null, subscriber, { channel: 'operator' }, clock());
    }
  } finally {
    await store.close();
  }
}

/**
 * Opens it with a store of its own.
 * @param now what its clock returns, until `app.now` is set
 * @param options.plugin is called for each query
 */
export async function openNewsroom(
  { folder, databaseUrl }: NewsroomPlace,
  now: number,
  { isNew = false, plugin }: { isNew?: boolean; plugin?: KyselyPlugin } = {},
): Promise<DraftNewsroom> {
  const env = { DAYWIRE_SECRET: 'the-secret-of-the-checks-of-drafts-0123456789', DAYWIRE_DATABASE_URL: databaseUrl };
  const config = loadConfig('config/daywire.yaml', env, folder);
  const opened = await openStore({ databaseUrl, path: config.paths.store });
  if (isNew) await migrate(opened);
  const store = plugin === undefined ? opened : { ...opened, db: opened.db.withPlugin(plugin) };
  const clock = (): number => app.now;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const app = {
    now,
    config,
    store,
    ...openParts(config, store, { clock, log }),
    templates: openTemplates(config.paths.templates, config.publication.zone),
    clock,
    log,
  };
  const newsletter = config.newsletters[0] as NewsletterConfig;
  return { app, newsletter, slot: editionSlot(SLOT, config.publication.zone, false) };
}

/** Calls `onQuery` for each query, before it is executed. @param onQuery.isWrite whether it changes rows */
export function watchQueries(onQuery: (isWrite: boolean) => void): KyselyPlugin {
  return {
    transformQuery({ node }) {
      onQuery(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode'].includes(node.kind));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

/** Deletes the edition, its draft and its run, so that the slot comes again. */
export async function resetNewsroom({ db }: Store): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const table of [
      ...(['deliveries', 'edition_articles', 'edition_omissions', 'edition_corrections', 'editions'] as const),
      ...(['drafts', 'draft_log', 'runs', 'alerts'] as const),
    ]) {
      await tx.deleteFrom(table).execute();
    }
    await tx.deleteFrom('pending_changes').execute();
    await tx.deleteFrom('article_slugs').where('article_id', 'not in', STORIES).execute();
    await tx.deleteFrom('articles').where('kind', '=', 'roundup').execute();
  });
}

/** What the store has of the slot. */
interface SlotFigures {
  editions: number;
  deliveries: number;
  stories: number;
  roundups: number;
  /** Of the draft; null if there is none. */
  draft: { state: string; closeAt: number | null } | null;
  runs: { state: string; reason: string | null }[];
}

export async function readFigures({ db }: Store): Promise<SlotFigures> {
  const draft = await db.selectFrom('drafts').select(['state', 'close_at as closeAt']).executeTakeFirst();
  return {
    editions: (await db.selectFrom('editions').select('id').execute()).length,
    deliveries: (await db.selectFrom('deliveries').select('subscriber_id').execute()).length,
    stories: (await db.selectFrom('edition_articles').select('article_id').execute()).length,
    roundups: (await db.selectFrom('articles').select('id').where('kind', '=', 'roundup').execute()).length,
    draft: draft ?? null,
    runs: await db.selectFrom('runs').select(['state', 'reason']).execute(),
  };
}

/** Why the slot has not exactly one whole edition; empty if it has. */
export function findWholeFaults({ editions, deliveries, stories, roundups, draft }: SlotFigures): string[] {
  return [
    ...(editions === 1 ? [] : [`${editions} editions instead of 1`]),
    ...(deliveries === SUBSCRIBERS ? [] : [`${deliveries} deliveries instead of ${SUBSCRIBERS}`]),
    ...(stories === STORIES.length ? [] : [`${stories} stories instead of ${STORIES.length}`]),
    ...(roundups === 1 ? [] : [`${roundups} roundup articles instead of 1`]),
    ...(draft?.state === 'closed' && draft.closeAt === null ? [] : [`the draft is ${JSON.stringify(draft)}`]),
  ];
}

/** Why the slot has some trace of an edition; empty if it has none. */
export function findTraces({ editions, deliveries, stories, roundups, draft }: SlotFigures): string[] {
  const isOpen = draft === null || (draft.state !== 'closed' && draft.closeAt === null);
  const traces = Object.entries({ editions, deliveries, stories, roundups }).filter(([, count]) => count > 0);
  return [
    ...traces.map(([name, count]) => `${count} ${name} of an edition that was not sent`),
    ...(isOpen ? [] : [`the draft is ${JSON.stringify(draft)}`]),
  ];
}

function markdown(id: string, n: number): string {
  const published = rfc3339(SLOT - (1 + n) * HOUR);
  const head = [`id: ${id}`, `headline: Headline of ${id}`, 'section: world', `published: ${published}`, 'dek: A dek.'];
  return `---\n${head.join('\n')}\n---\n\nA paragraph of ${id}.\n`;
}

const CONFIG = `publication:
  name: The Times
  about: News.
  url: http://127.0.0.1:8080
  tagAuthority: example.com,2026
  language: en
  zone: UTC
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Test Road
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
newsletters:
  - id: daily
    title: The Daily
    kicker: Daily
    description: The news of the day.
    from: { name: The Times, email: daily@example.com }
    template: daily-roundup
    schedule: { cron: "30 7 * * *", graceMinutes: 240 }
`;
