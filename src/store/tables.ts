/**
 * The tables as Kysely sees them. All instants are epoch milliseconds (UTC); booleans are 0 or 1; JSON is text, so that both
 * databases hold the same bytes. migrations.ts makes what stands here.
 */
import type { Generated } from 'kysely';

export interface Tables {
  articles: ArticlesTable;
  article_tags: { article_id: string; tag: string; published_at: number };
  /** Every slug an article ever had, so that an old address still leads to it. */
  article_slugs: { slug: string; article_id: string };
  /** The outbox from articles to feeds: one row for an article whose feeds must be published anew from `due_at` on. */
  pending_changes: { article_id: string; due_at: number; changed_at: number };
  set_aside: SetAsideTable;
  import_sources: { path: string; fingerprint: string; imported_at: number };
  documents: DocumentsTable;
  editions: EditionsTable;
  edition_articles: {
    edition_id: number;
    newsletter: string;
    article_id: string;
    block: string;
    position: number;
  };
  edition_passed_over: { edition_id: number; article_id: string; reason: 'aged-out' | 'did-not-fit' };
  edition_corrections: { newsletter: string; article_id: string; noted_at: number; edition_id: number };
  subscribers: { id: Generated<number>; email: string; email_key: string; zone: string | null; created_at: number };
  subscriptions: {
    subscriber_id: number;
    newsletter: string;
    state: 'unconfirmed' | 'confirmed' | 'unsubscribed';
    changed_at: number;
  };
  deliveries: DeliveriesTable;
  schedules: { id: string; cron: string; zone: string; since: number };
  runs: RunsTable;
  alerts: AlertsTable;
  meta: { key: string; value: string };
}

interface ArticlesTable {
  id: string;
  tag_uri: string;
  slug: string;
  kind: string;
  section: string | null;
  kicker: string | null;
  event_key: string | null;
  pinned: number;
  state: string;
  published_at: number;
  updated_at: number;
  /** When it was corrected or retracted. */
  noted_at: number | null;
  /** When this store first held it. */
  created_at: number;
  /** SHA-256 of its editorial content: an unchanged import changes nothing. */
  digest: string;
  /** The whole Article as JSON. */
  document: string;
}

interface SetAsideTable {
  /** Source and place, so that a second look at the same place replaces the first. */
  key: string;
  stage: 'import' | 'feed' | 'edition';
  source: string;
  line: number | null;
  article_id: string | null;
  /** JSON array of sentences. */
  problems: string;
  /** What was read, whole, so that nothing is lost. */
  raw: string;
  set_aside_at: number;
}

interface DocumentsTable {
  /** Below feeds/, such as `latest.atom`. */
  path: string;
  media_type: string;
  body: string;
  /** SHA-256 of the body, hex. */
  hash: string;
  /** Moves forward by at least one second with every change of the body. */
  modified_at: number;
}

interface EditionsTable {
  id: Generated<number>;
  newsletter: string;
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  slot: string;
  slot_at: number;
  cutoff_at: number;
  /** 1 for the newsletter's first edition, and so on. */
  number: number;
  headline: string;
  subject: string;
  preheader: string;
  /** Marks the personal slots in html and text. */
  nonce: string;
  html: string;
  text: string;
  archive_html: string;
  /** The roundup article that stands for it in feeds. */
  article_id: string;
  closed_at: number;
}

interface DeliveriesTable {
  edition_id: number;
  subscriber_id: number;
  state: 'pending' | 'submitting' | 'submitted' | 'failed' | 'suppressed';
  attempts: number;
  /** Not before this instant. */
  due_at: number;
  /** A claim holds until then. */
  lease_until: number | null;
  /** Grows with every claim; a result is recorded only under the fence it was claimed with. */
  fence: number;
  /** The server's last reply, or the transport's word. */
  reply: string | null;
  reason: string | null;
  changed_at: number;
}

interface RunsTable {
  schedule: string;
  slot_at: number;
  state: 'running' | 'done' | 'skipped' | 'late' | 'failed';
  reason: string | null;
  /** How many slots this run stands for; more than one where missed feed slots came together. */
  covers: number;
  attempts: number;
  started_at: number;
  finished_at: number | null;
  lease_until: number | null;
}

interface AlertsTable {
  /** One row a cause: a second failure of the same cause does not alert again until it was resolved. */
  cause: string;
  message: string;
  first_at: number;
  last_at: number;
  count: number;
  notified_at: number | null;
  resolved_at: number | null;
}
