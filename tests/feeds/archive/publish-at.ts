/** Publishes feeds with archives, without the mirror, and walks from a feed through its archive. */
import { deletePublishedChanges, readDueChanges } from '../../../src/articles/pending-changes.ts';
import type { Config } from '../../../src/config/config.ts';
import { type ArchiveProgress, closeDuePages } from '../../../src/feeds/archive/close-due-pages.ts';
import { recordMembers } from '../../../src/feeds/archive/record-members.ts';
import { findDocument } from '../../../src/feeds/documents.ts';
import { type PublishReport, publishFeeds } from '../../../src/feeds/publish.ts';
import type { Store } from '../../../src/store/store.ts';
import { feedsConfig, feedsTemplates } from '../feeds-fixture.ts';
import { childrenOf, parseXml, textOf, type XmlElement } from '../formats/xml.ts';

const templates = feedsTemplates();

/** The configuration with a single feed of all articles. */
export const LATEST_ALONE = feedsConfig((text) =>
  text.replace(/ {2}- \{ id: latest[\s\S]*/, '  - { id: latest, title: Latest }\n'),
);

/** Publishes all feeds at `now`. */
export async function publishAt(store: Store, config: Config, now: number): Promise<PublishReport & ArchiveProgress> {
  const changes = await readDueChanges(store.db, now, 20_000);
  const changed = changes.map(({ articleId }) => articleId);
  await recordMembers(store, config, { now, changed });
  const archives = await closeDuePages(store, config, { now });
  const report = await publishFeeds(store, config, templates, { now, changedArticles: changed });
  if (report.postponedUntil === null && report.pagesLeft === 0) await deletePublishedChanges(store.db, changes);
  return { ...report, ...archives };
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
    const document = await findDocument(store.db, path);
    if (document === null) throw new Error(`there is no document ${path}`);
    const page: Page = path.endsWith('.json') ? readJson(document.body) : readXml(document.body);
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

/** Hash and time of each document of archives, by path. */
export async function archivesIn(store: Store): Promise<Map<string, string>> {
  const rows = await store.db
    .selectFrom('documents')
    .select(['path', 'hash', 'modified_at'])
    .where('path', 'like', 'archive/%')
    .orderBy('path')
    .execute();
  return new Map(rows.map(({ path, hash, modified_at }) => [path, `${hash} ${modified_at}`]));
}

/** Paths whose entries differ. */
export function differing(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();
}
