/** Articles, what is derived from them, and what the import records. */
import type { Generated } from 'kysely';

export interface ArticleTables {
  articles: {
    id: string;
    tag_uri: string;
    slug: string;
    kind: string;
    section: string | null;
    kicker: string | null;
    event_key: string | null;
    pinned: number;
    /** JSON list of the keys of a roundup item's outlets (articles/outlets.ts). Null for other kinds. */
    outlets: string | null;
    /** 1 if a rule let it in, no editor. */
    by_rule: Generated<number>;
    state: string;
    /** BCP 47, in lower case. Null only for a document that is damaged. */
    language: string | null;
    published_at: number;
    updated_at: number;
    /** When it was corrected or retracted. */
    noted_at: number | null;
    /** When this store first held it. */
    created_at: number;
    /** The file or source that brought it; null for the roundup of an edition. See articles/import/origin.ts. */
    origin: string | null;
    /** SHA-256 of its editorial content: an import that leaves it as it is changes nothing. */
    digest: string;
    /** The whole Article as JSON, compressed; see migrations/article-document.ts. */
    document: Uint8Array;
    /** Bytes of that JSON. */
    json_bytes: number;
    /** Grows by one with every write of `document`. */
    document_version: Generated<number>;
    /** JSON of what the last import brought of the fields that the desk has changed since; see articles/edits/. */
    desk_base: Generated<string | null>;
    /** 1 if its canonical address is on another site. */
    has_url: Generated<number>;
  };
  article_tags: { article_id: string; tag: string; published_at: number };
  /** The reporters of each article, by slug; see facet-slug.ts. */
  article_reporters: { article_id: string; reporter: string; published_at: number };
  /** All names that articles ever had in a facet, by slug. */
  facet_names: { facet: 'tag' | 'kicker' | 'reporter'; slug: string; name: string };
  /** All slugs that an article ever had, so that old addresses redirect to it. */
  article_slugs: { slug: string; article_id: string };
  /** Articles whose words are in the index; see search/term-index.ts. PostgreSQL has the terms here. */
  indexed_articles: { number: Generated<number>; article_id: string; published_at: number; month: number };
  /** Changes that the desk made to articles, each with the former values; see articles/edits/. */
  article_edits: {
    article_id: string;
    /** From 1, for each article. */
    number: number;
    at: number;
    /** The name of the account, or the file or source of an import. */
    author: string;
    act: 'edit' | 'retract' | 'restore' | 'create' | 'undo' | 'import';
    /** JSON of the fields that the act changed, as they were before it. */
    before: string;
    /** Digest of the article after the act. */
    digest: string;
  };
  /** The outbox from articles to feeds: the feeds of the article must be published at `due_at`. */
  pending_changes: { article_id: string; due_at: number; changed_at: number };
  /** A picture on another server; see articles/remote-images/. */
  remote_images: {
    /** SHA-256 of the URL. */
    key: string;
    url: string;
    state: 'pending' | 'found' | 'failed';
    type: string | null;
    length: number | null;
    width: number | null;
    height: number | null;
    /** Why the last attempt failed. */
    reason: string | null;
    attempts: number;
    due_at: number;
    lease_until: number | null;
    fence: number;
    checked_at: number | null;
  };
  /** Articles whose picture has not been looked up yet. */
  remote_image_uses: { article_id: string; key: string };
  /** Input that could not be used. */
  rejections: {
    /** Source and place: reading the same place again replaces the row. */
    key: string;
    stage: 'import' | 'feed' | 'edition';
    source: string;
    line: number | null;
    article_id: string | null;
    /** JSON array of sentences. */
    problems: string;
    /** The whole input, so that nothing is lost. */
    raw: string;
    rejected_at: number;
    /** 1 if a first import holds it back; see articles/import/news-hold.ts. */
    held: Generated<number>;
  };
  /** Files that the folder watcher has imported, with a hash of their content. */
  imported_files: { path: string; fingerprint: string; imported_at: number };
  /** Runs of `daywire import`; see articles/import/import-runs.ts. */
  import_runs: {
    id: Generated<number>;
    started_at: number;
    /** What was imported: the paths, as they were written. */
    input: string;
    /** Number of articles that it has added. */
    added: number;
    undone_at: number | null;
  };
  /** The articles that a run has added. */
  import_run_articles: { run: number; article_id: string };
}
