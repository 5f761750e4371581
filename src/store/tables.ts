/**
 * The tables as Kysely sees them. All instants are epoch milliseconds (UTC); booleans are 0 or 1; JSON is text, so that both
 * databases hold the same bytes. migrations.ts makes what stands here.
 */
import type { Generated } from 'kysely';

export interface Tables {
  articles: ArticlesTable;
  article_tags: { article_id: string; tag: string; published_at: number };
  /** Who is named as a reporter, by slug; see facet-slug.ts. */
  article_reporters: { article_id: string; reporter: string; published_at: number };
  /** Every name an article ever had in one of the facets, by its slug. */
  facet_names: { facet: 'tag' | 'kicker' | 'reporter'; slug: string; name: string };
  /** Every slug an article ever had, so that an old address still leads to it. */
  article_slugs: { slug: string; article_id: string };
  /** The outbox from articles to feeds: one row for an article whose feeds must be published anew from `due_at` on. */
  pending_changes: { article_id: string; due_at: number; changed_at: number };
  rejections: RejectionsTable;
  import_sources: { path: string; fingerprint: string; imported_at: number };
  documents: DocumentsTable;
  /** One row, with the id 1: how often feeds have changed, and in which second they last did. Its lock lets publishes take turns. */
  publish_stamp: { id: number; version: number; modified_at: number };
  /** Feed requests, by day in the publication's calendar: `unchanged` were answered 304, all others in full. */
  feed_readers: {
    day: string;
    path: string;
    reader: string;
    requests: number;
    unchanged: number;
  };
  /** The newest number of subscribers that a reader reported on that day, for each of its own feeds (a digest, or empty). */
  feed_reader_reports: {
    day: string;
    path: string;
    reader: string;
    feed: string;
    subscribers: number;
    reported_at: number;
  };
  /** What each feed has published, from `at` on; `part` is the closed part of its archive that holds it, null while it waits for one. */
  archive_members: { feed: string; article_id: string; at: number; part: number | null };
  archives: ArchivesTable;
  archive_feeds: ArchiveFeedsTable;
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
  /** The retractions that an edition was paused for while it was being delivered: once for each. */
  edition_retractions: { edition_id: number; article_id: string; noted_at: number };
  subscribers: SubscribersTable;
  subscriptions: {
    subscriber_id: number;
    newsletter: string;
    state: 'unconfirmed' | 'confirmed' | 'unsubscribed';
    changed_at: number;
  };
  /** Every change of consent, with its origin: the proof of it. Goes with its subscriber. */
  consent_events: ConsentEventsTable;
  /** Addresses that are never mailed again, as keyed hashes: they outlive their subscriber. */
  suppressions: { address_hash: string; reason: SuppressionReason; at: number };
  service_messages: ServiceMessagesTable;
  deliveries: DeliveriesTable;
  bounces: BouncesTable;
  /** When the next one of a kind may go, to fractions of a millisecond: a limit shared by all processes (GCRA's theoretical arrival time). */
  rates: { key: string; next_at: number };
  /** How many messages were let go on a day of the publication's calendar, for the warm-up. */
  sending_days: { day: string; count: number };
  /** What is left of deliveries and runs that were kept long enough. */
  delivery_totals: { edition_id: number; state: DeliveryState; count: number };
  run_totals: { schedule: string; state: string; count: number };
  schedules: { id: string; cron: string; zone: string; since: number };
  runs: RunsTable;
  alerts: AlertsTable;
  hub_subscriptions: HubSubscriptionsTable;
  hub_requests: HubRequestsTable;
  hub_pings: HubPingsTable;
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

interface RejectionsTable {
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
  rejected_at: number;
}

interface DocumentsTable {
  /** Below feeds/, such as `latest.atom`. */
  path: string;
  media_type: string;
  /** SHA-256 of the body, hex. */
  hash: string;
  /** Whole seconds; moves forward with every change of the body. */
  modified_at: number;
  /** Bytes of the body. */
  size: number;
  /** The body, compressed: base64. */
  gzip: string;
  brotli: string;
}

/** The closed parts of each feed's archive, numbered from 1. */
interface ArchivesTable {
  feed: string;
  part: number;
  /** `2026-10`, of the publication's calendar. */
  month: string;
  /** Of its documents, without their ending: `archive/latest/2026-10`. */
  path: string;
  /** A hash over the corrections and retractions of its articles: where it changes, the part is written anew. */
  notes: string;
  closed_at: number;
}

/** The feeds that have an archive. */
interface ArchiveFeedsTable {
  feed: string;
  /** What it selects, as JSON: where the configuration changes that, older articles are looked through again. */
  selection: string;
  /** How far the articles that are older than the archive have been taken in: `[created_at, id]` as JSON; null where all are. */
  taken_in_to: string | null;
}

export type SuppressionReason = 'hard-bounce' | 'soft-bounces' | 'complaint' | 'erased' | 'operator';

interface SubscribersTable {
  id: Generated<number>;
  email: string;
  email_key: string;
  zone: string | null;
  created_at: number;
  /** Wants nothing before this instant. */
  paused_until: number | null;
  /** Set while the address is on the suppression list: nothing is mailed to it. */
  suppressed_reason: SuppressionReason | null;
  suppressed_at: number | null;
}

interface ConsentEventsTable {
  id: Generated<number>;
  subscriber_id: number;
  /** Null where the change is of the subscriber: zone, pause, suppression. */
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
  /** By what door it came. */
  origin:
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
}

/** Mail of the service itself: an outbox of its own, which goes ahead of editions. */
interface ServiceMessagesTable {
  id: Generated<number>;
  /** `confirm` asks to confirm what was requested; `already` tells a subscriber who asked again. */
  kind: 'confirm' | 'already';
  subscriber_id: number;
  /** JSON array of newsletters' ids. */
  newsletters: string;
  /** The zone asked for, which the confirmation sets. */
  zone: string | null;
  /** The subscriber's last consent event when it was queued: what came later outlives its link. */
  after_event: number | null;
  state: DeliveryState;
  attempts: number;
  due_at: number;
  /** Its link is dead from then on, and it is not mailed any more. */
  expires_at: number;
  lease_until: number | null;
  fence: number;
  reply: string | null;
  reason: string | null;
  created_at: number;
  changed_at: number;
}

/** What came back. One of both ids says of which message. */
interface BouncesTable {
  id: Generated<number>;
  edition_id: number | null;
  service_message_id: number | null;
  subscriber_id: number;
  kind: 'hard' | 'soft' | 'complaint';
  /** RFC 3463, such as 5.1.1. */
  status: string | null;
  detail: string | null;
  at: number;
}

export type DeliveryState = 'pending' | 'submitting' | 'submitted' | 'failed' | 'suppressed';

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
  /** `done`: no delivery of it is open any more. */
  delivery: Generated<'open' | 'paused' | 'cancelled' | 'done'>;
  /** Why it is paused or cancelled. */
  delivery_reason: string | null;
}

interface DeliveriesTable {
  edition_id: number;
  subscriber_id: number;
  state: DeliveryState;
  attempts: number;
  /** Not before this instant. */
  due_at: number;
  /** From then on it is not worth submitting any more. */
  stale_at: number | null;
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

/** Who is told of a feed's changes by the embedded hub. */
interface HubSubscriptionsTable {
  /** SHA-256 of topic and callback: a callback may be longer than an index takes. */
  key: string;
  /** The path of a feed document. */
  topic: string;
  callback: string;
  /** The callback's host and port. */
  host: string;
  /** The subscriber's secret, sealed, or null. */
  secret: string | null;
  verified_at: number;
  /** The end of the lease that was granted: nothing is told from then on. */
  expires_at: number;
  /** Grows with every change of the topic; what was told is noted only where it has not grown since. */
  version: number;
  /** 1 while a change is to be told. */
  owed: number;
  owed_since: number;
  /** Not before this instant. */
  due_at: number;
  /** Failures in a row. */
  attempts: number;
  failing_since: number | null;
  /** Why the last one failed. */
  reason: string | null;
  told_at: number | null;
  /** Whether the last telling took long. */
  slow: Generated<number>;
  /** A claim holds until then. */
  claim_until: number | null;
  /** Grows with every claim and renewal; a result is recorded only under the fence it was claimed with. */
  fence: number;
}

/** What was asked of the embedded hub and its callback has not confirmed yet. The newest for a topic and callback stands. */
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
  claim_until: number | null;
  fence: number;
}

/** What another hub is to be told: a row for each topic and publish, until all of that publish are settled. */
interface HubPingsTable {
  topic: string;
  /** As `slot_at` of its run. */
  published_at: number;
  state: 'open' | 'told' | 'superseded' | 'failed';
  attempts: number;
  due_at: number;
  reason: string | null;
  claim_until: number | null;
  fence: number;
}
