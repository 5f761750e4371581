/** Published documents, counts of feed readers, and the WebSub hub. */
import type { Generated } from 'kysely';

export interface FeedTables {
  documents: {
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
  };
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
  /** Contents of the published documents of each feed; see feeds/feed-builds.ts. */
  feed_builds: {
    feed: string;
    /** Hash of what a feed depends on beside its articles: its configuration, and daywire's version. */
    fingerprint: string;
    /** Its items and tombstones: JSON array of pairs of an article's id and `document_version`. */
    items: string;
    /** An article that was published before this instant does not enter the feed. */
    enters_from: number;
  };
  /** The subscriptions of the embedded hub, and the outbox of their notifications. */
  hub_subscriptions: {
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
  };
  /** Requests to the embedded hub that the callback has not confirmed yet. A newer one for the same key replaces it. */
  hub_requests: {
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
  };
}
