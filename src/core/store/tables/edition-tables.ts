/** Editions, a row for each revision, and their drafts. */
import type { Generated } from 'kysely';

export interface EditionTables {
  /** A row for each revision of an edition. */
  editions: {
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
    /** The parts of html and text that a copy may leave out, as JSON (editions/copies/segments.ts); null without. */
    segments: string | null;
    /** Number of its deliveries that were suppressed when it closed: their copies have too few stories. */
    too_few: Generated<number>;
    /** Counts the revisions of this edition from 1. */
    revision: Generated<number>;
    /** The id of the next revision's row; null for the newest one. */
    superseded_by: number | null;
  };
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
  /** What those get of an edition who made the same choice, decided when it closed. */
  edition_copies: {
    id: Generated<number>;
    edition_id: number;
    /** As in subscriptions. */
    choice: string;
    /** The numbers of its stories in the edition, as a JSON array. */
    stories: string;
    subject: string;
    /** Null if it is mailed; else why it is not. */
    suppressed: string | null;
  };
  /** The editor's decisions about the edition of a slot; see editions/draft/. */
  drafts: {
    newsletter: string;
    /** As in editions. */
    slot: string;
    slot_at: number;
    state: DraftStateName;
    /** The number of its newest log entry. */
    revision: number;
    /** State, decisions and the revisions of the fields, as JSON. */
    document: string;
    /** When an editor lets it close before its slot; null: at its slot. */
    close_at: number | null;
  };
  /** All commands to a draft, numbered from 1. */
  draft_log: {
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
  };
  /** Results of link checks, by the SHA-256 of the URL; see editions/links/. */
  link_checks: {
    key: string;
    url: string;
    state: 'works' | 'dead' | 'unchecked';
    reason: string | null;
    checked_at: number;
  };
}

type DraftStateName = 'automatic' | 'held' | 'approved' | 'closed';

/** `delivering`: deliveries of it may be pending. `done`: none is. */
export const EDITION_DELIVERY_STATES = ['delivering', 'paused', 'cancelled', 'done'] as const;

export type EditionDeliveryState = (typeof EDITION_DELIVERY_STATES)[number];

/** `dropped`: by an editor. */
export type OmissionReason = 'aged-out' | 'did-not-fit' | 'dropped';
