/**
 * The tables as Kysely sees them; `migrations/` creates them. Instants (`…_at`, `…_until`) are epoch milliseconds
 * (UTC), flags are 0 or 1, and JSON is text, so that both databases hold the same bytes.
 *
 * Outboxes share four columns: `due_at`, the earliest instant of the next attempt; `attempts`; `lease_until`, the end
 * of the current claim; and `fence`, which grows with each claim: a result is recorded only under the fence of its
 * claim.
 */
import type { Generated } from 'kysely';
import type { DeskTables } from './tables/desk-tables.ts';
import type { SourceTables } from './tables/source-tables.ts';

export interface Tables extends SourceTables, DeskTables {
  articles: ArticlesTable;
  article_tags: { article_id: string; tag: string; published_at: number };
  /** The reporters of each article, by slug; see facet-slug.ts. */
  article_reporters: { article_id: string; reporter: string; published_at: number };
  /** All names that articles ever had in a facet, by slug. */
  facet_names: { facet: 'tag' | 'kicker' | 'reporter'; slug: string; name: string };
  /** All slugs that an article ever had, so that old addresses redirect to it. */
  article_slugs: { slug: string; article_id: string };
  /** Terms of headlines, by the month of publication; see articles/search/word-index.ts. */
  article_words: { month: number; word: string; published_at: number; article_id: string };
  /** Changes that the desk made to articles, each with the former values; see articles/edits/. */
  article_edits: ArticleEditsTable;
  /** The outbox from articles to feeds: the feeds of the article must be published at `due_at`. */
  pending_changes: { article_id: string; due_at: number; changed_at: number };
  remote_images: RemoteImagesTable;
  /** Articles whose picture has not been looked up yet. */
  remote_image_uses: { article_id: string; key: string };
  rejections: RejectionsTable;
  /** Files that the folder watcher has imported, with a hash of their content. */
  imported_files: { path: string; fingerprint: string; imported_at: number };
  documents: DocumentsTable;
  /** One row, id 1: the number of publishes that changed a feed, and the last one's second. Publishes lock it. */
  feed_version: { id: number; version: number; modified_at: number };
  /** Feed requests, by day in the publication's zone: `unchanged` got a 304, the rest a full response. */
  feed_readers: {
    day: string;
    path: string;
    reader: string;
    requests: number;
    unchanged: number;
  };
  /** The last number of subscribers that a reader reported on a day for each of its feeds (a hash, or empty). */
  feed_reader_reports: {
    day: string;
    path: string;
    reader: string;
    feed: string;
    subscribers: number;
    reported_at: number;
  };
  /** Where archives have an article; see feeds/archive/save-pages.ts. */
  archive_places: { article_id: string; places: string };
  /** The articles that a feed has published, and that are on no page of its archive yet. `bytes`: of the document. */
  archive_waiting: { feed: string; recorded_at: number; article_id: string; bytes: number };
  archive_pages: ArchivePagesTable;
  feed_builds: FeedBuildsTable;
  archive_feeds: ArchiveFeedsTable;
  editions: EditionsTable;
  edition_articles: {
    edition_id: number;
    newsletter: string;
    article_id: string;
    block: string;
    position: number;
  };
  /** Articles that were eligible for an edition and did not enter it. */
  edition_omissions: { edition_id: number; article_id: string; reason: OmissionReason };
  /** Corrections that an edition of the newsletter has carried. */
  edition_corrections: { newsletter: string; article_id: string; noted_at: number; edition_id: number };
  /** Retractions for which an edition was paused during its delivery, so that each pauses it once. */
  edition_retractions: { edition_id: number; article_id: string; noted_at: number };
  drafts: DraftsTable;
  draft_log: DraftLogTable;
  /** Results of link checks, by the SHA-256 of the URL; see editions/links/. */
  link_checks: {
    key: string;
    url: string;
    state: 'works' | 'dead' | 'unchecked';
    reason: string | null;
    checked_at: number;
  };
  subscribers: SubscribersTable;
  subscriptions: {
    subscriber_id: number;
    newsletter: string;
    state: (typeof SUBSCRIPTION_STATES)[number];
    changed_at: number;
  };
  /** The wordings to which people have agreed; `id` is a hash of version and text. */
  consent_texts: { id: string; version: string; text: string; first_used_at: number };
  /** Keys of unsubscribe tokens alone, by fingerprint of their signing secret, with the last day of their use. */
  unsubscribe_keys: { fingerprint: string; key: string; used_at: number };
  /** All changes of consent, as proof of it. Deleted with their subscriber. */
  consent_events: ConsentEventsTable;
  /** Addresses that are never mailed again, as keyed hashes: they outlive their subscriber. */
  suppressions: { address_hash: string; reason: SuppressionReason; at: number };
  service_messages: ServiceMessagesTable;
  deliveries: DeliveriesTable;
  edition_refusals: EditionRefusalsTable;
  back_off: BackOffTable;
  bounces: BouncesTable;
  /** Reports of mail providers that were recorded, by their own id: recording one again changes nothing. */
  webhook_events: { provider: string; id: string; received_at: number };
  rate_notices: RateNoticesTable;
  /**
   * Rate limits shared by all processes: `next_at` is the theoretical arrival time of the next request (GCRA), with
   * fractions. `counted_at` is when it was set; 0 for limits of deliveries, which are corrected in another way.
   */
  rate_limits: { key: string; next_at: number; counted_at: Generated<number> };
  /** Messages of the last 24 hours, by the quarter of an hour; see delivery/limits/daily-limit.ts. */
  submission_counts: { quarter: number; count: number };
  /** Sums of the deliveries that retention has deleted. */
  delivery_totals: { edition_id: number; state: DeliveryState; count: number };
  /** Kept by triggers and by `queueDeliveries`; see migrations/0007-state-counts.ts, and read with counts.ts. */
  delivery_counts: { edition_id: number; state: DeliveryState; slot: number; count: number; entered: number };
  /** Deliveries that the mail provider has reported as delivered, as `delivery_counts`; kept by `countDelivered`. */
  delivered_counts: { edition_id: number; slot: number; count: number };
  state_counts: { subject: CountedSubject; scope: string; state: string; slot: number; count: number; entered: number };
  /** Subscriptions that were confirmed, and that ended after that, by the beginning of a quarter of an hour. */
  growth_counts: { quarter: number; newsletter: string; change: 'joined' | 'left'; slot: number; count: number };
  subscriber_imports: SubscriberImportsTable;
  /** Sums of the runs that retention has deleted. */
  schedules: { id: string; cron: string; zone: string; since: number };
  runs: RunsTable;
  alerts: AlertsTable;
  /** The running processes; `roles` is a JSON array. `seen_at` is written every few seconds. */
  processes: {
    id: string;
    host: string;
    pid: number;
    roles: string;
    version: string;
    started_at: number;
    seen_at: number;
    /** Where `pid` is unique; see core/schedule/process-ids.ts. */
    scope: string | null;
  };
  hub_subscriptions: HubSubscriptionsTable;
  hub_requests: HubRequestsTable;
  meta: { key: string; value: string };
}

/** A table whose rows are counted by state; `feed_requests` counts requests, by reader. */
export type CountedSubject =
  | 'subscriptions'
  | 'service_messages'
  | 'runs'
  | 'bounces'
  | 'suppressions'
  | 'rejections'
  | 'feed_requests';

interface ArticlesTable {
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
  /** The whole Article as JSON, compressed; see articles/stored-document.ts. */
  document: Uint8Array;
  /** Bytes of that JSON. */
  json_bytes: number;
  /** Grows by one with every write of `document`. */
  document_version: Generated<number>;
  /** JSON of what the last import brought of the fields that the desk has changed since; see articles/edits/. */
  desk_base: Generated<string | null>;
}

interface ArticleEditsTable {
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
}

/** A picture on another server; see articles/remote-images/. */
interface RemoteImagesTable {
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
}

/** Input that could not be used. */
interface RejectionsTable {
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
}

interface DocumentsTable {
  /** Below feeds/, such as `latest.atom`. */
  path: string;
  media_type: string;
  /** SHA-256 of the body, hex. */
  hash: string;
  /** Whole seconds; grows with every change of the body. */
  modified_at: number;
  /** Bytes of the body. */
  size: number;
  /** The compressed body. */
  gzip: Uint8Array;
  brotli: Uint8Array;
}

/** The closed pages of each feed's archive, numbered from 1. Their documents are rendered on request. */
interface ArchivePagesTable {
  feed: string;
  page: number;
  /** `2026-10`, in the publication's zone. */
  month: string;
  /** Path of its documents, without the extension: `archive/latest/2026-10`. */
  path: string;
  /** Ids of its articles, a JSON array. */
  members: string;
  closed_at: number;
  /** When it or one of its articles last changed. Whole seconds; grows with every change. */
  changed_at: number;
}

/** Contents of the published documents of each feed; see feeds/feed-builds.ts. */
interface FeedBuildsTable {
  feed: string;
  /** Hash of what a feed depends on beside its articles: its configuration, and daywire's version. */
  fingerprint: string;
  /** Its items and tombstones: JSON array of pairs of an article's id and `document_version`. */
  items: string;
  /** An article that was published before this instant enters the feed only while it waits for an archive page. */
  enters_from: number;
  /** The archive page that it links to; 0 for none. */
  page: number;
  /** That of its archive, read before the articles that wait for a page. */
  waiting_version: number;
}

/** The feeds that have an archive. */
interface ArchiveFeedsTable {
  feed: string;
  /** Names the archive in `archive_places`. Never given twice. */
  number: number;
  /** Grows with every change of which articles wait for a page. */
  waiting_version: Generated<number>;
  /** The feed's selection as JSON: when the configuration changes it, the backfill starts again. */
  selection: string;
  /** The last of the older articles that was backfilled: `[created_at, id]` as JSON; null when all are. */
  backfilled_to: string | null;
}

export const SUBSCRIPTION_STATES = ['confirmed', 'unconfirmed', 'unsubscribed'] as const;

export const SUPPRESSION_REASONS = ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator'] as const;
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

type DraftStateName = 'automatic' | 'held' | 'approved' | 'closed';

/** The editor's decisions about the edition of a slot; see editions/draft/. */
interface DraftsTable {
  newsletter: string;
  /** As in editions. */
  slot: string;
  slot_at: number;
  state: DraftStateName;
  /** The number of its newest log entry. */
  revision: number;
  /** State, decisions and the revisions of the fields, as JSON. */
  document: string;
  /** The end of the countdown that an editor started; null without one. */
  close_at: number | null;
}

/** All commands to a draft, numbered from 1. */
interface DraftLogTable {
  newsletter: string;
  slot: string;
  number: number;
  at: number;
  editor: string;
  /** JSON. */
  command: string;
  /** The fields that it changed, with the values before and after, as JSON: they are its inverse, too. */
  changes: string;
  /** The entry that it undoes. */
  undoes: number | null;
}

/** Subscribers of all newsletters. */
interface SubscribersTable {
  id: Generated<number>;
  email: string;
  email_key: string;
  zone: string | null;
  created_at: number;
  /** No edition is delivered before this instant. */
  paused_until: number | null;
  /** Set while the address is on the suppression list. */
  suppressed_reason: SuppressionReason | null;
  suppressed_at: number | null;
  /** From 1. Links to the preferences with an older version are revoked. */
  token_version: Generated<number>;
}

interface ConsentEventsTable {
  id: Generated<number>;
  subscriber_id: number;
  /** Null for changes that concern all newsletters: zone, pause, suppression. */
  newsletter: string | null;
  change:
    | 'requested'
    | 'confirmed'
    | 'unsubscribed'
    | 'zone'
    | 'paused'
    | 'resumed'
    | 'suppressed'
    | 'unsuppressed'
    | 'exported';
  channel:
    | 'form'
    | 'confirmation'
    | 'preferences'
    | 'unsubscribe-page'
    | 'one-click'
    | 'mailto'
    | 'operator'
    | 'import'
    | 'bounce'
    | 'complaint';
  /** The client's address, or the file and line of an import. */
  source: string | null;
  /** Such as the zone, or the day a pause ends. */
  detail: string | null;
  at: number;
  /** The wording that was agreed to, in consent_texts; null without one. */
  consent_text: string | null;
}

/** Imports of files that accounts uploaded; see audience/csv/uploaded-imports.ts. */
interface SubscriberImportsTable {
  id: string;
  account_id: number;
  /** `checked`: it waits for a confirmation. `refused`: nothing of it can be imported. */
  state: 'checking' | 'checked' | 'refused' | 'importing' | 'done' | 'failed' | 'discarded';
  file_name: string;
  /** SHA-256 of the file, hex. */
  file_hash: string;
  /** Bytes of the file. */
  size: number;
  /** What the account chose, as JSON. */
  options: string;
  rows_read: number;
  rejected: number;
  bytes_read: number;
  /** Report of the check, then of the import, as JSON. */
  report: string | null;
  problem: string | null;
  created_at: number;
  changed_at: number;
}

/**
 * `confirm` asks for confirmation; `already` answers a request for a newsletter that is subscribed to; `preferences`
 * brings a new link to them; `export` and `erase` bring a link for that act.
 */
export const SERVICE_MESSAGE_KINDS = ['confirm', 'already', 'preferences', 'export', 'erase'] as const;

/** The outbox of service messages, which are submitted before editions. */
interface ServiceMessagesTable {
  id: Generated<number>;
  kind: (typeof SERVICE_MESSAGE_KINDS)[number];
  subscriber_id: number;
  /** JSON array of newsletter ids. */
  newsletters: string;
  /** The requested zone, which the confirmation sets. */
  zone: string | null;
  /** The subscriber's last consent event when this was queued: the link does not undo later ones. */
  after_event: number | null;
  state: DeliveryState;
  attempts: number;
  due_at: number;
  /** The end of its link; it is not submitted after that. */
  expires_at: number;
  /** When the link for an act was used. */
  used_at: number | null;
  lease_until: number | null;
  fence: number;
  reply: string | null;
  reason: string | null;
  created_at: number;
  changed_at: number;
}

export const BOUNCE_KINDS = ['hard', 'soft', 'complaint'] as const;
export type BounceKind = (typeof BOUNCE_KINDS)[number];

/** Bounces and complaints. Either `edition_id` or `service_message_id` is set. */
interface BouncesTable {
  id: Generated<number>;
  edition_id: number | null;
  service_message_id: number | null;
  subscriber_id: number;
  kind: BounceKind;
  /** RFC 3463, such as 5.1.1. */
  status: string | null;
  detail: string | null;
  at: number;
}

/** A complaint or bounce rate that was noticed: each level acts once. */
interface RateNoticesTable {
  edition_id: number;
  kind: 'complaint' | 'bounce';
  /** A mailbox provider; empty for all recipients. */
  scope: string;
  level: 'alert' | 'pause';
  percent: number;
  /** The number that `percent` is of. */
  messages: number;
  at: number;
}

export const DELIVERY_STATES = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** `delivering`: deliveries of it may be pending. `done`: none is. */
export const EDITION_DELIVERY_STATES = ['delivering', 'paused', 'cancelled', 'done'] as const;
export type EditionDeliveryState = (typeof EDITION_DELIVERY_STATES)[number];

/** `dropped`: by an editor. */
export type OmissionReason = 'aged-out' | 'did-not-fit' | 'dropped';

/** A row for each revision of an edition. */
interface EditionsTable {
  id: Generated<number>;
  newsletter: string;
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  slot: string;
  slot_at: number;
  cutoff_at: number;
  /** Counts the newsletter's editions from 1; the same in all revisions. */
  number: number;
  headline: string;
  subject: string;
  preheader: string;
  /** Marks the personal placeholders in html and text. */
  nonce: string;
  html: string;
  text: string;
  archive_html: string;
  /** The roundup article that represents it in feeds. */
  article_id: string;
  closed_at: number;
  /** When the heartbeat was called, after the edition was delivered; null before that. */
  heartbeat_at: number | null;
  /** In A-labels. Null for an edition that closed before the column existed. */
  message_id_domain: string | null;
  delivery_state: Generated<EditionDeliveryState>;
  /** Why it is paused or cancelled. */
  delivery_reason: string | null;
  /** Counts the revisions of this edition from 1. */
  revision: Generated<number>;
  /** The id of the next revision's row; null for the newest one. */
  superseded_by: number | null;
}

interface DeliveriesTable {
  edition_id: number;
  subscriber_id: number;
  state: DeliveryState;
  attempts: number;
  due_at: number;
  /** Not submitted from this instant on. */
  expires_at: number | null;
  lease_until: number | null;
  fence: number;
  /** The server's last reply, or the transport's message. */
  reply: string | null;
  reason: string | null;
  changed_at: number;
  /** When the mail provider says that it reached the mailbox; null while it has not said so. */
  delivered_at: number | null;
}

/** `uncertain`: no reply to a complete message. */
export type RefusalKind = 'permanent' | 'uncertain';

/** Recipients of an edition that were refused; see delivery/control/circuit-breaker.ts. */
interface EditionRefusalsTable {
  edition_id: number;
  subscriber_id: number;
  /** The recipient's, in lower case. */
  domain: string;
  kind: RefusalKind;
  /** 1 if the server had refused the same recipient before. */
  repeated: number;
  /** How many messages of the edition had been accepted: those with the same number came in a row. */
  accepted: number;
  /** The fence of the delivery: the refusal is taken back only while nobody has claimed it again. */
  fence: number;
}

/** While this row exists, the server accepts nothing: submissions wait, and from `retry_at` on one message probes. */
interface BackOffTable {
  id: number;
  /** The server's words, without addresses. */
  reason: string;
  /** Failed probes, the first failure included. */
  failures: number;
  since: number;
  retry_at: number;
  /** 1 once its alert is raised. */
  alerted: number;
}

export const RUN_STATES = ['waiting', 'running', 'done', 'late', 'skipped', 'failed'] as const;
export type RunState = (typeof RUN_STATES)[number];

interface RunsTable {
  schedule: string;
  slot_at: number;
  state: RunState;
  reason: string | null;
  /** Number of slots that this run covers; more than one after missed feed slots. */
  covers: number;
  attempts: number;
  started_at: number;
  finished_at: number | null;
  lease_until: number | null;
}

interface AlertsTable {
  /** Kind and subject, such as `failed:newsletter:daily`: it alerts once until it is resolved. */
  key: string;
  kind: string;
  /** JSON: ids by name. */
  subject: string;
  message: string;
  /** JSON array of what can be done about it. */
  actions: string;
  first_at: number;
  last_at: number;
  count: number;
  notified_at: number | null;
  resolved_at: number | null;
}

/** The subscriptions of the embedded hub, and the outbox of their notifications. */
interface HubSubscriptionsTable {
  /** SHA-256 of topic and callback: a callback may be longer than an index entry. */
  key: string;
  /** The path of a feed document. */
  topic: string;
  callback: string;
  /** The callback's host and port. */
  host: string;
  /** The subscriber's secret, encrypted, or null. */
  secret: string | null;
  verified_at: number;
  /** The end of the WebSub lease. */
  expires_at: number;
  /** Grows with every change of the topic: a delivery clears `pending` only if it has not grown meanwhile. */
  version: number;
  /** 1 while a change has not been delivered. */
  pending: number;
  pending_since: number;
  due_at: number;
  /** Failures in a row. */
  attempts: number;
  failing_since: number | null;
  /** Why the last attempt failed. */
  reason: string | null;
  delivered_at: number | null;
  /** 1 if the last delivery took long. */
  slow: Generated<number>;
  lease_until: number | null;
  /** Grows with renewals, too. */
  fence: number;
}

/** Requests to the embedded hub that the callback has not confirmed yet. A newer one for the same key replaces it. */
interface HubRequestsTable {
  /** As in hub_subscriptions. */
  key: string;
  mode: 'subscribe' | 'unsubscribe';
  topic: string;
  callback: string;
  host: string;
  secret: string | null;
  lease_seconds: number;
  created_at: number;
  attempts: number;
  due_at: number;
  lease_until: number | null;
  fence: number;
}
