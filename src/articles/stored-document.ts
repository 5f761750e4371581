/**
 * How the store holds an article: its JSON, compressed. The JSON has the body twice, as it was written and as sanitised
 * HTML, so it shrinks to a quarter. docs/decisions/2026-11-28-stored-articles.md has the figures.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Article } from './article.ts';

/** To select what `toArticle` reads. */
export const DOCUMENT_COLUMNS = ['articles.document', 'articles.compressed'] as const;

/** Columns of `articles`. */
export interface StoredDocument {
  /** The JSON, as earlier versions wrote it; empty where it is compressed. */
  document: string;
  compressed: Uint8Array | null;
}

/** Columns of `articles`, as they are written. */
export interface EncodedDocument extends StoredDocument {
  /** Bytes of the JSON. */
  json_bytes: number;
}

/**
 * What nearly every document has, so that short ones compress well, too (`deflateSetDictionary` of zlib). Stored
 * articles cannot be read without it: never change it.
 */
const DICTIONARY = Buffer.from(
  '</blockquote>\\n</li>\\n<li></ul>\\n</ol>\\n<ul>\\n<h2></h2>\\n<h3></h3>\\n<code></code><br />\\n&quot;&lt;' +
    '&gt;&amp;<img src=\\"https://www." alt=\\"<em></em><strong></strong><a href=\\"https://</a> and the of in to ' +
    'that for on with was as by said from at is are has have had its will which their been more than after he his ' +
    'who not but </p>"analysis","feature","roundup-item","roundup","state":"corrected","note":"retracted",' +
    '"scheduled","until":"credit":null,"type":"image/jpeg","length":,"width":,"height":,"alt":"","isLookedUp":true,' +
    '"isByRule":true,{"id":"","slug":"-","url":null,"kind":"brief","kicker":null,"topic":null,"headline":"",' +
    '"shortHeadline":null,"pinned":false,"dek":"","section":"","tags":["","bylines":[{"role":"reporter","name":"",' +
    '"email":null},{"role":"editor"}],"fullStory":null,"related":[{"url":"https://","title":"","outlet":null,' +
    '"also":[],"eventKey":null,"image":null,"enclosures":[],"language":"en","body":{"format":"html","markdown",' +
    '"source":"\\n\\n"},"bodyHtml":"<p></p>\\n<p></p>","tagUri":"tag:,20:articles/","publishedAt":1,"updatedAt":1,' +
    '"status":{"state":"published"},"page":null}',
);

/** Each write is a whole document. Higher levels take up to half more time and save 2 %. */
const DEFLATE = { level: 1, dictionary: DICTIONARY, chunkSize: 8_192 };
/** Most documents fit one chunk. */
const INFLATE = { dictionary: DICTIONARY, chunkSize: 8_192 };

/** The article as the store holds it. */
export function encodeDocument(article: Article): EncodedDocument {
  const json = Buffer.from(JSON.stringify(article));
  return { document: '', compressed: deflateRawSync(json, DEFLATE), json_bytes: json.length };
}

/**
 * Reads a stored article, as any version wrote it.
 * @throws Error if it is damaged
 */
export function toArticle(stored: StoredDocument): Article {
  const article = JSON.parse(documentJson(stored)) as Article;
  article.url ??= null;
  article.also ??= [];
  if (article.outlet) article.outlet.publishedAt ??= null;
  return article;
}

/**
 * The JSON of a stored article, as any version wrote it.
 * @throws Error if it is damaged
 */
export function documentJson({ document, compressed }: StoredDocument): string {
  if (document !== '' || compressed === null) return document;
  return inflateRawSync(compressed, INFLATE).toString();
}
