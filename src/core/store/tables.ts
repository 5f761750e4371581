/**
 * The tables as Kysely sees them; `migrations/` creates them. Instants (`…_at`, `…_until`) are epoch milliseconds
 * (UTC), flags are 0 or 1, and JSON is text, so that both databases hold the same bytes.
 *
 * Outboxes share four columns: `due_at`, the earliest instant of the next attempt; `attempts`; `lease_until`, the end
 * of the current claim; and `fence`, which grows with each claim: a result is recorded only under the fence of its
 * claim.
 */
import type { Generated } from 'kysely';
import type { ArticleTables } from './tables/article-tables.ts';
import type { DeskTables } from './tables/desk-tables.ts';
import type { EditionTables } from './tables/edition-tables.ts';
import type { FeedTables } from './tables/feed-tables.ts';
import type { SourceTables } from './tables/source-tables.ts';
import type { SubscriberTables } from './tables/subscriber-tables.ts';

export interface Tables extends ArticleTables, FeedTables, EditionTables, SubscriberTables, SourceTables, DeskTables {
  /** The outbox of service messages, which are submitted before editions. */
  service_messages: {
    id: Generated<number>;
    kind: (typeof SERVICE_MESSAGE_KINDS)[number];
    subscriber_id: number;
    /** JSON array of newsletter ids. */
    newsletters: string;
    /** The requested zone, which the confirmation sets. */
    zone: string | null;
    /** The requested choices, which the confirmation sets: JSON, by newsletter, as in subscriptions. */
    choices: string | null;
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
  };
  deliveries: {
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
    /** In edition_copies; null for the whole edition. */
    copy_id: number | null;
  };
  /** Recipients of an edition that were refused; see delivery/control/circuit-breaker.ts. */
  edition_refusals: {
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
  };
  /** While this row exists, the server accepts nothing: submissions wait, and from `retry_at` on one message probes. */
  back_off: {
    id: number;
    /** The server's words, without addresses. */
    reason: string;
    /** Failed probes, the first failure included. */
    failures: number;
    since: number;
    retry_at: number;
    /** 1 once its alert is raised. */
    alerted: number;
  };
  /** A mailbox provider whose bounces may be a mistake, ours or theirs; see delivery/holds/. Open while not closed. */
  provider_holds: {
    /** Its id, or a domain. */
    provider: string;
    /** The edition whose bounces opened it. */
    edition_id: number;
    /** For the operator, without addresses. */
    reason: string;
    opened_at: number;
    /** When the next message is tried without an operator. */
    try_at: number;
    /** The delivery that is tried; null if none is. */
    tried_edition_id: number | null;
    tried_subscriber_id: number | null;
    closed_at: number | null;
  };
  /** Bounces and complaints. Either `edition_id` or `service_message_id` is set. */
  bounces: {
    id: Generated<number>;
    edition_id: number | null;
    service_message_id: number | null;
    subscriber_id: number;
    kind: BounceKind;
    /** RFC 3463, such as 5.1.1. */
    status: string | null;
    detail: string | null;
    at: number;
  };
  /** Reports of mail providers that were recorded, by their own id: recording one again changes nothing. */
  webhook_events: { provider: string; id: string; received_at: number };
  /** A complaint or bounce rate that was noticed: each level acts once. */
  rate_notices: {
    edition_id: number;
    kind: 'complaint' | 'bounce';
    /** A mailbox provider; empty for all recipients. */
    scope: string;
    level: 'alert' | 'pause';
    percent: number;
    /** The number that `percent` is of. */
    messages: number;
    at: number;
  };
  /**
   * Rate limits shared by all processes: `next_at` is the theoretical arrival time of the next request (GCRA), with
   * fractions. `counted_at` is when it was set; 0 for limits of deliveries, which are corrected in another way.
   */
  rate_limits: { key: string; next_at: number; counted_at: Generated<number> };
  /** Messages of the last 24 hours, by the quarter of an hour; see delivery/limits/daily-limit.ts. */
  submission_counts: { quarter: number; count: number };
  /** Sums of the deliveries that retention has deleted. */
  delivery_totals: { edition_id: number; state: DeliveryState; count: number };
  /** Kept by triggers and by `queueDeliveries`; see migrations/0001-initial/counts.ts, and read with counts.ts. */
  delivery_counts: { edition_id: number; state: DeliveryState; slot: number; count: number; entered: number };
  /** Deliveries that the mail provider has reported as delivered, as `delivery_counts`; kept by `countDelivered`. */
  delivered_counts: { edition_id: number; slot: number; count: number };
  state_counts: { subject: CountedSubject; scope: string; state: string; slot: number; count: number; entered: number };
  /** Sums of the runs that retention has deleted. */
  schedules: { id: string; cron: string; zone: string; since: number };
  runs: {
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
  };
  alerts: {
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
  };
  /** Processes that run or ran lately; `roles` is a JSON array. `seen_at` is written every few seconds. */
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
    /** When it was stopped properly; null while it runs, and if it was killed. */
    stopped_at: number | null;
  };
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

/**
 * `confirm` asks for confirmation; `already` answers a request for a newsletter that is subscribed to; `preferences`
 * brings a new link to them; `export` and `erase` bring a link for that act.
 */
export const SERVICE_MESSAGE_KINDS = ['confirm', 'already', 'preferences', 'export', 'erase'] as const;

export const BOUNCE_KINDS = ['hard', 'soft', 'complaint'] as const;

export type BounceKind = (typeof BOUNCE_KINDS)[number];

export const DELIVERY_STATES = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** `uncertain`: no reply to a complete message. */
export type RefusalKind = 'permanent' | 'uncertain';

export const RUN_STATES = ['waiting', 'running', 'done', 'late', 'skipped', 'failed'] as const;

export type RunState = (typeof RUN_STATES)[number];
