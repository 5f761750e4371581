import type { ColumnTypes } from '../column-types.ts';

/** Schedules, alerts, processes, and the accounts of the desk. */
export function operationTables({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table schedules (
      id ${text} not null primary key,
      cron ${text} not null,
      zone ${text} not null,
      since ${int} not null
    )`,

    `create table runs (
      schedule ${text} not null,
      slot_at ${int} not null,
      state ${text} not null check (state in ('waiting', 'running', 'done', 'skipped', 'late', 'failed')),
      reason ${text},
      covers ${int} not null,
      attempts ${int} not null,
      started_at ${int} not null,
      finished_at ${int},
      lease_until ${int},
      constraint runs_once primary key (schedule, slot_at)
    )`,
    // Lists of the desk: a page is a range of one of these, whichever filter is set.
    'create index runs_by_schedule_state on runs (schedule, state, slot_at)',
    'create index runs_by_state on runs (state, slot_at, schedule)',
    'create index runs_by_time on runs (slot_at, schedule)',

    `create table state_counts (
      subject ${text} not null
        check (subject in ('subscriptions', 'service_messages', 'runs', 'bounces', 'suppressions',
          'rejections', 'feed_requests')),
      scope ${text} not null,
      state ${text} not null,
      slot ${int} not null,
      count ${int} not null,
      entered ${int} not null,
      constraint state_counts_key primary key (subject, scope, state, slot)
    )`,

    `create table alerts (
      key ${text} not null primary key,
      message ${text} not null,
      first_at ${int} not null,
      last_at ${int} not null,
      count ${int} not null,
      notified_at ${int},
      resolved_at ${int},
      kind ${text} not null,
      subject ${text} not null,
      actions ${text} not null
    )`,

    `create table processes (
      id ${text} not null primary key,
      host ${text} not null,
      pid ${int} not null,
      roles ${text} not null,
      version ${text} not null,
      started_at ${int} not null,
      seen_at ${int} not null,
      scope ${text}
    )`,

    `create table meta (
      key ${text} not null primary key,
      value ${text} not null
    )`,

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
    'create index audit_log_by_account on audit_log (account_id, id)',
    'create index audit_log_by_account_and_act on audit_log (account_id, act, id)',
    'create index audit_log_by_act on audit_log (act, id)',
    'create index audit_log_by_subject on audit_log (subject, id)',

    `create table desk_presence (
      page ${text} not null,
      account_id ${int} not null references accounts (id) on delete cascade,
      tab ${text} not null,
      seen_at ${int} not null,
      constraint desk_presence_key primary key (page, account_id, tab)
    )`,
  ];
}
