/** The factory of articles, a way to store them, and the Markdown of an import. */
import { type Article, type Image, tagUri } from '../../src/articles/article.ts';
import { saveArticle, saveArticles } from '../../src/articles/import/save.ts';
import type { Store } from '../../src/core/store/store.ts';
import { HOUR } from '../../src/lib/time.ts';
import { NOW } from './clock.ts';

/** Makes a brief, not updated since its publication, unless `defaults` or `change` say otherwise. */
export function articleFactory(
  defaults: Partial<Article> & Pick<Article, 'publishedAt'>,
): (id: string, change?: Partial<Article>) => Article {
  return (id, change = {}) => {
    const { bodyHtml = `<p>Body of ${id}.</p>`, publishedAt, ...rest } = { ...defaults, ...change };
    return {
      id,
      tagUri: tagUri('example.com,2026', id),
      slug: id,
      url: null,
      kind: 'brief',
      kicker: null,
      topic: null,
      headline: `Headline of ${id}`,
      shortHeadline: null,
      pinned: false,
      dek: `Dek of ${id}.`,
      body: { format: 'html', source: bodyHtml },
      bodyHtml,
      publishedAt,
      updatedAt: publishedAt,
      section: 'business-tech',
      tags: [],
      bylines: [],
      fullStory: null,
      related: [],
      outlet: null,
      also: [],
      eventKey: null,
      image: null,
      enclosures: [],
      language: 'en',
      status: { state: 'published' },
      page: null,
      ...rest,
    };
  };
}

/** Makes an article, published an hour before NOW unless `change` says otherwise. */
export const article = articleFactory({ publishedAt: NOW - HOUR });

/** Makes a picture of unknown size unless `change` says otherwise. */
export function picture(url: string, change: Partial<Image> = {}): Image {
  return { url, alt: 'A', credit: null, type: 'image/jpeg', length: 9, width: null, height: null, ...change };
}

/** Columns of a row whose document nobody reads. */
export const UNREADABLE = { document: Buffer.from('{"half'), json_bytes: 6 };

/** Stores articles as an import at `now` does. */
export async function saveAll(store: Store, articles: Article[], now = NOW): Promise<void> {
  const writes = articles.map((one) => ({ article: one, digest: JSON.stringify(one) }));
  await store.db.transaction().execute((tx) => saveArticles(tx, writes, now));
}

/** Stores each article as an import at its publication does. */
export async function saveAsPublished(store: Store, articles: Article[]): Promise<void> {
  await store.db.transaction().execute(async (tx) => {
    for (const one of articles) await saveArticle(tx, one, JSON.stringify(one), one.publishedAt);
  });
}

/** The text of a Markdown file. @param keys lines of front matter */
export function markdown(keys: string, body = 'Some words.'): string {
  return `---\n${keys.trim()}\n---\n${body}\n`;
}

/** The Markdown file of an article. @param keys further lines of front matter */
export function articleFile(id: string, keys = ''): string {
  const head = `id: ${id}\nheadline: Headline of ${id}\nsection: world\ndek: A dek.\n${keys}`;
  return markdown(head, `\nA paragraph of ${id}.`);
}
