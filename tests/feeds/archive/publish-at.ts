/** Publishes feeds with archives, without the mirror, and walks from a feed through its archive. */
import { deletePublishedChanges, readDueChanges } from '../../../src/articles/pending-changes.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { findArchivePage, renderArchivePage } from '../../../src/feeds/archive/archive-page.ts';
import { type ArchiveProgress, closeDuePages } from '../../../src/feeds/archive/close-due-pages.ts';
import { recordMembers, touchArchivePages } from '../../../src/feeds/archive/record-members.ts';
import { findDocument } from '../../../src/feeds/documents.ts';
import { type PublishFeedsResult, publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { feedsConfig, feedsTemplates } from '../feeds-fixture.ts';
import { childrenOf, parseXml, textOf, type XmlElement } from '../formats/xml.ts';

const templates = feedsTemplates();

/** The configuration with a single feed of all articles. */
export const LATEST_ALONE = feedsConfig((text) =>
  text.replace(/ {2}- \{ id: latest[\s\S]*/, '  - { id: latest, title: Latest }\n'),
);

/** Pages are rendered with it, whichever configuration has published them. */
const ANY_CONFIG = feedsConfig();

/** Publishes all feeds at `now`. */
export async function publishAt(
  store: Store,
  config: Config,
  now: number,
): Promise<PublishFeedsResult & ArchiveProgress> {
  const changes = await readDueChanges(store.db, now, { limit: 20_000 });
  const changed = changes.map(({ articleId }) => articleId);
  const recorded = await recordMembers(store, config, { now, changed });
  const { closed, more } = await closeDuePages(store, config, { now });
  const report = await publishFeeds(store, config, templates, { now, hasChanges: changed.length > 0 });
  if (report.postponedUntil === null) {
    await store.db.transaction().execute((tx) => touchArchivePages(tx, recorded.pages, now));
    await deletePublishedChanges(store.db, changes);
  }
  return { ...report, closed, more };
}

/** Records changed articles in archives, as a publish does. */
export async function recordChanged(store: Store, config: Config, now: number, ids: string[]): Promise<void> {
  const { pages } = await recordMembers(store, config, { now, changed: ids });
  await store.db.transaction().execute((tx) => touchArchivePages(tx, pages, now));
}

export interface Walk {
  /** Ids of articles, sorted, without duplicates. */
  ids: string[];
  /** Paths of documents, in the order of the walk. */
  paths: string[];
}

/** Reads a feed, and its archive pages by their links. @throws Error if a link leads nowhere, or in a circle */
export async function walk(store: Store, start: string): Promise<Walk> {
  const ids = new Set<string>();
  const paths: string[] = [];
  for (let path: string | null = start; path !== null; ) {
    if (paths.includes(path)) throw new Error(`${path} leads back to itself`);
    paths.push(path);
    const body = await bodyAt(store, path);
    const page: Page = path.endsWith('.json') ? readJson(body) : readXml(body);
    for (const id of page.ids) ids.add(id.slice(id.indexOf('articles/') + 9));
    path = page.previous === null ? null : page.previous.replace('https://wire.example.com/feeds/', '');
  }
  return { ids: [...ids].sort(), paths };
}

interface Page {
  ids: string[];
  /** URL of the previous page. */
  previous: string | null;
}

function readJson(body: string): Page {
  const { items, next_url } = JSON.parse(body) as { items: { id: string }[]; next_url?: string };
  return { ids: items.map(({ id }) => id), previous: next_url ?? null };
}

function readXml(body: string): Page {
  const root = parseXml(body);
  const isRss = root.qname === 'rss';
  const feed = isRss ? (childrenOf(root, 'channel')[0] as XmlElement) : root;
  const links = childrenOf(feed, isRss ? 'atom:link' : 'link');
  const entries = childrenOf(feed, isRss ? 'item' : 'entry');
  return {
    ids: entries.map((entry) => textOf(entry, isRss ? 'guid' : 'id') as string),
    previous: links.find(({ attributes }) => attributes.rel === 'prev-archive')?.attributes.href ?? null,
  };
}

/** The body of a published document, or of an archive page as it is served. @throws Error if there is none */
export async function bodyAt(store: Store, path: string): Promise<string> {
  const page = await findArchivePage(store.db, path.replace(/\.\w+$/, ''));
  const rendered = page && (await renderArchivePage(store.db, ANY_CONFIG, page, Number.MAX_SAFE_INTEGER));
  const document = rendered?.documents.find((one) => one.path === path) ?? (await findDocument(store.db, path));
  if (!document) throw new Error(`there is no document ${path}`);
  return document.body.toString();
}

/** Body and time of each document of archives, by path. */
export async function archivesIn(store: Store): Promise<Map<string, string>> {
  const rows = await store.db.selectFrom('archive_pages').select(['path', 'changed_at']).orderBy('path').execute();
  const documents = new Map<string, string>();
  for (const { path, changed_at } of rows) {
    for (const format of ['atom', 'json', 'rss']) {
      const name = `${path}.${format}`;
      documents.set(name, `${changed_at} ${await bodyAt(store, name)}`);
    }
  }
  return documents;
}

/** Paths whose entries differ. */
export function differing(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();
}
