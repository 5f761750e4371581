import type { ColumnTypes } from '../column-types.ts';

/** Editions (a row for each revision) and their drafts. */
export function editionTables({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table editions (
      id ${identity},
      newsletter ${text} not null,
      slot ${text} not null,
      slot_at ${int} not null,
      cutoff_at ${int} not null,
      number ${int} not null,
      headline ${text} not null,
      subject ${text} not null,
      preheader ${text} not null,
      nonce ${text} not null,
      article_id ${text} not null references articles (id),
      closed_at ${int} not null,
      delivery_state ${text} not null default 'delivering'
        check (delivery_state in ('delivering', 'paused', 'cancelled', 'done')),
      delivery_reason ${text},
      heartbeat_at ${int},
      message_id_domain ${text},
      revision ${int} not null default 1,
      superseded_by ${int},
      html ${text} not null,
      text ${text} not null,
      archive_html ${text} not null,
      constraint editions_by_slot unique (newsletter, slot, revision),
      constraint editions_by_number unique (newsletter, number, revision)
    )`,
    // Lists of editions read an index: a row has hundreds of kilobytes.
    "create index editions_in_delivery on editions (id) where delivery_state = 'delivering'",
    'create index editions_newest on editions (slot_at, id) where superseded_by is null',
    'create index editions_newest_by_number on editions (newsletter, number) where superseded_by is null',
    "create index editions_paused on editions (id) where delivery_state = 'paused'",
    'create index editions_without_heartbeat on editions (closed_at, id) where heartbeat_at is null',

    `create table edition_articles (
      edition_id ${int} not null references editions (id),
      newsletter ${text} not null,
      article_id ${text} not null references articles (id),
      block ${text} not null check (block in ('lead', 'news', 'analysis', 'roundup', 'also', 'latest')),
      position ${int} not null,
      constraint edition_articles_once primary key (newsletter, article_id)
    )`,
    'create index edition_articles_by_edition on edition_articles (edition_id, position)',

    `create table edition_omissions (
      edition_id ${int} not null references editions (id),
      article_id ${text} not null references articles (id),
      reason ${text} not null check (reason in ('aged-out', 'did-not-fit', 'dropped')),
      constraint edition_omissions_key primary key (edition_id, article_id)
    )`,
    'create index edition_omissions_by_article on edition_omissions (article_id, edition_id)',

    `create table edition_corrections (
      newsletter ${text} not null,
      article_id ${text} not null references articles (id),
      noted_at ${int} not null,
      edition_id ${int} not null references editions (id),
      constraint edition_corrections_once primary key (newsletter, article_id, noted_at)
    )`,

    `create table edition_retractions (
      edition_id ${int} not null references editions (id),
      article_id ${text} not null references articles (id),
      noted_at ${int} not null,
      constraint edition_retractions_once primary key (edition_id, article_id, noted_at)
    )`,

    `create table drafts (
      newsletter ${text} not null,
      slot ${text} not null,
      slot_at ${int} not null,
      state ${text} not null check (state in ('automatic', 'held', 'approved', 'closed')),
      revision ${int} not null,
      document ${text} not null,
      close_at ${int},
      constraint drafts_key primary key (newsletter, slot)
    )`,
    'create index drafts_closing on drafts (close_at) where close_at is not null',

    `create table draft_log (
      newsletter ${text} not null,
      slot ${text} not null,
      number ${int} not null,
      at ${int} not null,
      editor ${text} not null,
      command ${text} not null,
      changes ${text} not null,
      undoes ${int},
      constraint draft_log_key primary key (newsletter, slot, number)
    )`,

    `create table link_checks (
      key ${text} not null primary key,
      url ${text} not null,
      state ${text} not null check (state in ('works', 'dead', 'unchecked')),
      reason ${text},
      checked_at ${int} not null
    )`,

    `create table edition_visits (
      newsletter ${text} not null,
      slot ${text} not null,
      day ${text} not null,
      visits ${int} not null,
      constraint edition_visits_key primary key (newsletter, slot, day)
    )`,
    'create index edition_visits_by_day on edition_visits (day)',
  ];
}
