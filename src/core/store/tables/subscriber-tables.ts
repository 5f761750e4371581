/** Subscribers, their consent, and the suppression list. */
import type { Generated } from 'kysely';

export interface SubscriberTables {
  /** Subscribers of all newsletters. */
  subscribers: {
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
    /** Not mailed: its address bounced while this mailbox provider was held (provider_holds). */
    held_by: string | null;
    /** From 1. Links to the preferences with an older version are revoked. */
    token_version: Generated<number>;
  };
  subscriptions: {
    subscriber_id: number;
    newsletter: string;
    state: (typeof SUBSCRIPTION_STATES)[number];
    changed_at: number;
    /** What the subscriber chose (articles/choice.ts); null for everything. */
    choice: string | null;
    /** The newsletter to which an unsubscribed one was moved: its unsubscribe links end that. */
    moved_to: string | null;
    /** Counts the addresses of the private feed. An address with an older number is revoked. */
    feed_version: Generated<number>;
    /** Since when the private feed is wanted; null if it is not. */
    feed_since: number | null;
  };
  /** The wordings to which people have agreed; `id` is a hash of version and text. */
  consent_texts: { id: string; version: string; text: string; first_used_at: number };
  /** Keys of unsubscribe tokens alone, by fingerprint of their signing secret, with the last day of their use. */
  unsubscribe_keys: { fingerprint: string; key: string; used_at: number };
  /** All changes of consent, as proof of it. Deleted with their subscriber. */
  consent_events: {
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
      | 'exported'
      /** Chose sections, topics or reporters: `detail` is as in subscriptions. */
      | 'choice'
      /** Changed to this newsletter from the one that `detail` names, under the same consent. */
      | 'moved'
      | 'feed-wanted'
      | 'feed-ended';
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
  };
  /** Addresses that are never mailed again, as keyed hashes: they outlive their subscriber. */
  suppressions: { address_hash: string; reason: SuppressionReason; at: number };
  /** Subscriptions that were confirmed, and that ended after that, by the beginning of a quarter of an hour. */
  growth_counts: { quarter: number; newsletter: string; change: 'joined' | 'left'; slot: number; count: number };
  /** Imports of files that accounts uploaded; see audience/csv/uploaded-imports.ts. */
  subscriber_imports: {
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
  };
}

export const SUBSCRIPTION_STATES = ['confirmed', 'unconfirmed', 'unsubscribed'] as const;

export const SUPPRESSION_REASONS = ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator'] as const;

export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];
