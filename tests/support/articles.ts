/** Invented articles, and a way to store them. */
import { type Article, tagUri } from '../../src/articles/article.ts';
import { saveArticles } from '../../src/articles/import/save.ts';
import { HOUR } from '../../src/lib/time.ts';
import type { Store } from '../../src/store/store.ts';

/** 20:00 in Shanghai. */
export const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);

/** A brief published an hour before NOW, unless `change` says otherwise. */
export function article(id: string, change: Partial<Article> = {}): Article {
  return {
    id,
    tagUri: tagUri('example.com,2026', id),
    slug: id,
    kind: 'brief',
    kicker: null,
    topic: null,
    headline: `Headline of ${id}`,
    shortHeadline: null,
    pinned: false,
    dek: `Dek of ${id}.`,
    body: { format: 'html', source: '' },
    bodyHtml: `<p>Body of ${id}.</p>`,
    publishedAt: NOW - HOUR,
    updatedAt: NOW - HOUR,
    section: 'business-tech',
    tags: [],
    bylines: [],
    fullStory: null,
    related: [],
    outlet: null,
    eventKey: null,
    image: null,
    enclosures: [],
    language: 'en',
    status: { state: 'published' },
    page: null,
    ...change,
  };
}

/** Stores articles as an import at `now` does. */
export async function saveAll(store: Store, articles: Article[], now = NOW): Promise<void> {
  const writes = articles.map((one) => ({ article: one, digest: JSON.stringify(one) }));
  await store.db.transaction().execute((tx) => saveArticles(tx, writes, now));
}
