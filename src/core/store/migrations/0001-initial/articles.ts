import type { ColumnTypes } from '../column-types.ts';

/** Articles, what is derived from them, and what the import records. */
export function articleTables({ text, int, bytes, inKey }: ColumnTypes): string[] {
  return [
    // Neither tag URIs nor slugs have an index here: the ids and `article_slugs` keep them apart.
    `create table articles (
      id ${text} not null primary key,
      tag_uri ${text} not null,
      slug ${text} not null,
      kind ${text} not null check (kind in ('brief', 'analysis', 'feature', 'roundup-item', 'roundup')),
      section ${text},
      kicker ${text},
      event_key ${text},
      pinned ${int} not null check (pinned in (0, 1)),
      state ${text} not null check (state in ('draft', 'scheduled', 'published', 'corrected', 'retracted')),
      published_at ${int} not null,
      updated_at ${int} not null,
      noted_at ${int},
      created_at ${int} not null,
      digest ${text} not null,
      document ${text} not null,
      origin ${text},
      outlets ${text},
      by_rule ${int} not null default 0,
      desk_base ${text},
      document_version ${int} not null default 1,
      compressed ${bytes},
      json_bytes ${int}
    )`,
    'create index articles_by_creation on articles (created_at, id)',
    'create index articles_by_kicker on articles (kicker, published_at, id) where kicker is not null',
    'create index articles_by_kind on articles (kind, published_at, id, state)',
    'create index articles_by_note on articles (noted_at, id) where noted_at is not null',
    `create index articles_by_rare_state on articles (state, published_at, id, kind, section)
      where state in ('draft', 'corrected', 'retracted')`,
    'create index articles_by_section on articles (section, kind, published_at, id, state)',
    'create index articles_by_time on articles (published_at, id, state)',
    'create index articles_pinned on articles (published_at, id) where pinned = 1',

    `create table article_tags (
      article_id ${text} not null references articles (id) on delete cascade,
      tag ${text} not null,
      published_at ${int} not null,
      constraint article_tags_key primary key (article_id, tag)
    )`,
    'create index article_tags_by_tag on article_tags (tag, published_at, article_id)',

    `create table article_reporters (
      article_id ${text} not null references articles (id) on delete cascade,
      reporter ${text} not null,
      published_at ${int} not null,
      constraint article_reporters_key primary key (article_id, reporter)
    )`,
    'create index article_reporters_by_reporter on article_reporters (reporter, published_at, article_id)',

    `create table facet_names (
      facet ${text} not null check (facet in ('tag', 'kicker', 'reporter')),
      slug ${text} not null,
      name ${text} not null,
      constraint facet_names_key primary key (facet, slug, name)
    )`,

    `create table article_slugs (
      slug ${text} not null primary key,
      article_id ${text} not null references articles (id) on delete cascade
    )`,

    // Nine rows an article: on SQLite the rows are in their index alone, which takes half the space.
    `create table article_words (
      month ${int} not null,
      word ${text} not null,
      published_at ${int} not null,
      article_id ${text} not null,
      constraint article_words_key primary key (month, word, published_at, article_id)
    )${inKey}`,

    `create table article_edits (
      article_id ${text} not null references articles (id) on delete cascade,
      number ${int} not null,
      at ${int} not null,
      author ${text} not null,
      act ${text} not null check (act in ('edit', 'retract', 'restore', 'create', 'undo', 'import')),
      before ${text} not null,
      digest ${text} not null,
      constraint article_edits_key primary key (article_id, number)
    )`,

    `create table pending_changes (
      article_id ${text} not null primary key,
      due_at ${int} not null,
      changed_at ${int} not null
    )`,
    'create index pending_changes_due on pending_changes (due_at, article_id)',

    `create table rejections (
      key ${text} not null primary key,
      stage ${text} not null check (stage in ('import', 'feed', 'edition')),
      source ${text} not null,
      line ${int},
      article_id ${text},
      problems ${text} not null,
      raw ${text} not null,
      rejected_at ${int} not null
    )`,
    'create index rejections_by_source on rejections (source, line)',
    'create index rejections_by_time on rejections (rejected_at, key)',

    `create table imported_files (
      path ${text} not null primary key,
      fingerprint ${text} not null,
      imported_at ${int} not null
    )`,

    `create table remote_images (
      key ${text} not null primary key,
      url ${text} not null,
      state ${text} not null check (state in ('pending', 'found', 'failed')),
      type ${text},
      length ${int},
      width ${int},
      height ${int},
      reason ${text},
      attempts ${int} not null,
      due_at ${int} not null,
      lease_until ${int},
      fence ${int} not null,
      checked_at ${int}
    )`,
    "create index remote_images_failed on remote_images (checked_at, key) where state = 'failed'",
    "create index remote_images_pending on remote_images (due_at, key) where state = 'pending'",

    `create table remote_image_uses (
      article_id ${text} not null primary key,
      key ${text} not null
    )`,
    'create index remote_image_uses_by_key on remote_image_uses (key, article_id)',
  ];
}
