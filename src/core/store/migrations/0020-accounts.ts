/**
 * The desk: accounts, their invitations and sessions, failed sign-ins, the audit log, and who looks at what. Also
 * an index with which its lists are fast.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createAccounts(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int, identity } = columnTypes(dialect);
  const statements = [
    `create table accounts (
      id ${identity},
      email ${text} not null,
      email_key ${text} not null unique,
      name ${text} not null,
      name_key ${text} not null unique,
      password ${text} not null,
      roles ${text} not null,
      has_shortcuts ${int} not null default 1 check (has_shortcuts in (0, 1)),
      created_at ${int} not null,
      disabled_at ${int}
    )`,
    `create table account_invitations (
      id ${identity},
      token_hash ${text} not null unique,
      account_id ${int} references accounts (id) on delete cascade,
      email ${text} not null,
      email_key ${text} not null,
      roles ${text} not null,
      invited_by ${text} not null,
      created_at ${int} not null,
      expires_at ${int} not null,
      used_at ${int}
    )`,
    `create table account_sessions (
      token_hash ${text} not null primary key,
      account_id ${int} not null references accounts (id) on delete cascade,
      created_at ${int} not null,
      seen_at ${int} not null
    )`,
    'create index account_sessions_by_account on account_sessions (account_id)',
    `create table sign_in_failures (
      id ${identity},
      key ${text} not null,
      at ${int} not null
    )`,
    'create index sign_in_failures_by_key on sign_in_failures (key, at)',
    'create index sign_in_failures_by_time on sign_in_failures (at)',
    `create table audit_log (
      id ${identity},
      at ${int} not null,
      account_id ${int},
      actor ${text} not null,
      act ${text} not null,
      subject ${text} not null,
      detail ${text} not null
    )`,
    'create index audit_log_by_subject on audit_log (subject, id)',
    'create index audit_log_by_act on audit_log (act, id)',
    'create index audit_log_by_account_and_act on audit_log (account_id, act, id)',
    'create index audit_log_by_account on audit_log (account_id, id)',
    ...appendOnly(dialect),
    // With the state: without it, SQLite reads the items of a few groups by scanning all open items.
    'drop index outlet_items_by_group',
    'create index outlet_items_by_group on outlet_items (group_id, state) where group_id is not null',
    // Lists of the desk: a page is a range of one of these, whatever the filter.
    'create index rejections_by_time on rejections (rejected_at, key)',
    'create index runs_by_time on runs (slot_at, schedule)',
    'create index runs_by_state on runs (state, slot_at, schedule)',
    'create index runs_by_schedule_state on runs (schedule, state, slot_at)',
    `create table desk_presence (
      page ${text} not null,
      account_id ${int} not null references accounts (id) on delete cascade,
      tab ${text} not null,
      seen_at ${int} not null,
      constraint desk_presence_key primary key (page, account_id, tab)
    )`,
    ...editionFigures(text, int),
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** What the figures of editions need, with a million deliveries each. */
function editionFigures(text: string, int: string): string[] {
  return [
    `create table edition_visits (
      newsletter ${text} not null,
      slot ${text} not null,
      day ${text} not null,
      visits ${int} not null,
      constraint edition_visits_key primary key (newsletter, slot, day)
    )`,
    'create index edition_visits_by_day on edition_visits (day)',
    `create table edition_progress (
      edition_id ${int} not null,
      minute ${int} not null,
      at ${int} not null,
      submitted ${int} not null,
      failed ${int} not null,
      constraint edition_progress_key primary key (edition_id, minute)
    )`,
    `create index deliveries_failed on deliveries (edition_id, subscriber_id) where state = 'failed'`,
    `create index consent_events_left on consent_events (newsletter, at, channel) where change = 'unsubscribed'`,
  ];
}

/** Rows of the audit log are never changed or deleted. */
function appendOnly(dialect: 'sqlite' | 'postgres'): string[] {
  const message = 'the audit log is append-only';
  if (dialect === 'sqlite') {
    return ['update', 'delete'].map(
      (act) => `create trigger audit_log_no_${act} before ${act} on audit_log
        begin select raise(abort, '${message}'); end`,
    );
  }
  return [
    `create function refuse_audit_change() returns trigger language plpgsql as $$
      begin raise exception '${message}'; end $$`,
    `create trigger audit_log_append_only before update or delete or truncate on audit_log
      for each statement execute function refuse_audit_change()`,
  ];
}
