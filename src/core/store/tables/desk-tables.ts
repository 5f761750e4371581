/** The tables of the desk as Kysely sees them; see ../tables.ts. */
import type { Generated } from 'kysely';

export interface DeskTables {
  accounts: {
    id: Generated<number>;
    email: string;
    email_key: string;
    /** Shown to colleagues, and the editor's name in logs. */
    name: string;
    name_key: string;
    /** The hash, with its parameters. */
    password: string;
    /** JSON array. */
    roles: string;
    /** 1 if single keys act on pages. */
    has_shortcuts: Generated<number>;
    created_at: number;
    disabled_at: number | null;
    /** Encrypted; null without a second factor. */
    second_factor: string | null;
    /** The last 30 seconds (since 1970) of which a code was accepted. */
    second_factor_step: number | null;
    /** JSON array of SHA-256, hex, of those that are left. */
    recovery_codes: string | null;
  };
  /** Links that let somebody choose a password: for a new account, or for `account_id`. */
  account_invitations: {
    id: Generated<number>;
    /** SHA-256, hex. */
    token_hash: string;
    account_id: number | null;
    email: string;
    email_key: string;
    /** JSON array; empty for an account that exists. */
    roles: string;
    /** The name of an account, or `console`. */
    invited_by: string;
    created_at: number;
    expires_at: number;
    used_at: number | null;
  };
  account_sessions: {
    /** SHA-256 of the cookie's token, hex. */
    token_hash: string;
    account_id: number;
    created_at: number;
    /** The last request, to the minute. */
    seen_at: number;
    /** Where it was begun, such as `Firefox on Windows`. */
    browser: string | null;
    client: string | null;
  };
  /** `key` is a hash of what was typed as address and of the client's address. */
  sign_in_failures: { id: Generated<number>; key: string; at: number };
  audit_log: AuditLogTable;
  /** What auditors ask for: sign-ins and failures, exports, changes of accounts. Deleted after 90 days. */
  security_log: AuditLogTable & {
    /** The IP address of the client; null for the console, or if it is unknown. */
    client: string | null;
    /** 1 once it is in the log of the process, too. */
    is_shipped: Generated<number>;
  };
  /** The open pages of the desk, by tab. */
  desk_presence: { page: string; account_id: number; tab: string; seen_at: number };
  /**
   * Visits of the pages of past editions, by day in the publication's zone. `day` is empty for those of all days that
   * retention has deleted.
   */
  edition_visits: { newsletter: string; slot: string; day: string; visits: number };
  /** How far the delivery of an edition was at the last look of each minute (since 1970). */
  edition_progress: { edition_id: number; minute: number; at: number; submitted: number; failed: number };
}

/** Acts of accounts. Append-only: triggers refuse changes. Never an address, password or token. */
interface AuditLogTable {
  id: Generated<number>;
  at: number;
  /** Null for the console. */
  account_id: number | null;
  /** The account's name at that time, or `console`. */
  actor: string;
  /** Such as `edition.hold`. */
  act: string;
  /** Object of the act, such as `daily-roundup/2026-11-24`. */
  subject: string;
  /** JSON object. */
  detail: string;
}
