/** How the store holds an article. */
import { deflateJson, inflateJson } from '../core/store/migrations/article-document.ts';
import type { Article } from './article.ts';

/** Columns of `articles`, as `toArticle` reads them. */
export interface StoredDocument {
  /** The JSON, compressed. */
  document: Uint8Array;
}

/** The article as the store holds it. `json_bytes`: of the JSON. */
export function encodeDocument(article: Article): StoredDocument & { json_bytes: number } {
  const json = Buffer.from(JSON.stringify(article));
  return { document: deflateJson(json), json_bytes: json.length };
}

/** Reads a stored article. @throws Error if it is damaged */
export function toArticle(stored: StoredDocument): Article {
  return JSON.parse(documentJson(stored)) as Article;
}

/** The JSON of a stored article. @throws Error if it is damaged */
export function documentJson({ document }: StoredDocument): string {
  return inflateJson(document).toString();
}

/** The JSON of a stored article as far as it can be read, for people. */
export function readableJson(stored: StoredDocument): string {
  try {
    return documentJson(stored);
  } catch {
    return '';
  }
}
