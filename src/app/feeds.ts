/**
 * What an operator sees of feeds.
 */
import { summariseArchives } from '../feeds/archive/archives.ts';
import { listDocuments } from '../feeds/documents.ts';
import { rfc3339 } from '../lib/time.ts';
import type { AppContext } from './app-context.ts';

export interface FeedSummary {
  id: string;
  title: string;
  /** Its published documents: one for each format. */
  documents: { path: string; url: string; bytes: number; changed: string }[];
  /** The newest change of a document, RFC 3339 in UTC; null before the first publish. */
  changed: string | null;
  /** Closed archive pages; null without an archive. */
  archivePages: number | null;
}

/** The feeds of the configuration. */
export async function listFeeds({ store, config }: AppContext): Promise<FeedSummary[]> {
  const all = await listDocuments(store.db);
  const archives = await summariseArchives(store.reports);
  return config.feeds.map(({ id, title }) => {
    const own = all.filter(({ path }) => path.replace(/\.[a-z]+$/, '') === id);
    const changedAt = Math.max(...own.map(({ modifiedAt }) => modifiedAt));
    return {
      id,
      title,
      documents: own.map(({ path, size, modifiedAt }) => ({
        path,
        url: `${config.publication.url}/feeds/${path}`,
        bytes: size,
        changed: rfc3339(modifiedAt),
      })),
      changed: own.length === 0 ? null : rfc3339(changedAt),
      archivePages: archives.find(({ feed }) => feed === id)?.pages ?? null,
    };
  });
}
