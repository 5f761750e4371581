/**
 * Composes an edition: reads, selects and renders; writes nothing. Delivery closes the result in one transaction, which
 * fails if one of its articles has changed since (record.ts).
 */
import { sql } from 'kysely';
import type { Article } from '../articles/article.ts';
import type { Rejection } from '../articles/rejections.ts';
import { toArticle } from '../articles/stored-document.ts';
import type { Config, NewsletterConfig, Selection } from '../core/config/config.ts';
import { editionLocale, newsletterSite } from '../core/config/site-view.ts';
import type { Db, Store } from '../core/store/store.ts';
import type { Templates } from '../lib/templates.ts';
import { rfc3339 } from '../lib/time.ts';
import type { ClosingObstacle } from './alert-newsletters/alert-limits.ts';
import { buildEditionView, preheaderTexts } from './build-view.ts';
import { buildSegments, copySubjects } from './copies/build-segments.ts';
import type { CopySubjects, EditionSegments } from './copies/copy.ts';
import { findObstacle } from './draft/closing.ts';
import type { Draft } from './draft/decisions.ts';
import { type Edition, findEdition } from './queries.ts';
import type { Correction, EditionView } from './rendering/edition-view.ts';
import { roundupHeadline } from './rendering/headline.ts';
import { type RenderFunction, renderInProcess } from './rendering/render-in-process.ts';
import { COPY_SURPLUS, type ContentLimits, filledSize, fitToSizeLimit, limitBlocks } from './rendering/size-limit.ts';
import { toCorrection } from './rendering/story-view.ts';
import { buildRoundupArticle } from './roundup-article.ts';
import {
  type ApprovalStatus,
  type ArrangedEdition,
  type ArrangementOptions,
  arrangeEdition,
} from './selection/arrange.ts';
import { type ArticleVersion, findDueCorrections, findListedCorrections } from './selection/candidates.ts';
import {
  assertComplete,
  type LoadedStories,
  type LoadOptions,
  leadingArticles,
  loadStories,
  toRejection,
} from './selection/load-stories.ts';
import { type Block, countStories } from './selection/selection.ts';
import type { EditionWindow } from './selection/window.ts';

/** An edition that can be closed. */
export interface ComposedEdition {
  kind: 'composed';
  newsletter: string;
  /** Which articles the newsletter takes. */
  select: Selection;
  slot: string;
  slotAt: number;
  cutoffAt: number;
  number: number;
  /** Counts from 1. */
  revision: number;
  /** Not shortened: `Tech Roundup: first item, second item`. */
  headline: string;
  subject: string;
  preheader: string;
  nonce: string;
  /** The data of its templates, as rendered. */
  view: EditionView;
  html: string;
  text: string;
  archiveHtml: string;
  /** Null for a newsletter without choices. */
  segments: EditionSegments | null;
  subjects: CopySubjects;
  size: EditionSize;
  /** In display order; `position` counts from 0. */
  articles: (ArticleVersion & { block: Block; position: number })[];
  /** Candidates beyond the limits of their blocks: eligible for the next edition, until they pass the age limit. */
  didNotFit: string[];
  /** The editor dropped them: later editions do not take them by themselves. */
  dropped: string[];
  /** The draft's revision: the edition cannot be closed if it has changed since. */
  draftRevision: number;
  /** Null unless the draft is approved. */
  approval: ApprovalStatus | null;
  /** Why it must not close yet; null if it may. */
  obstacle: ClosingObstacle | null;
  /** The revision that this one replaces, or null. */
  reissueOf: Edition | null;
  /** The listed corrections. */
  corrections: (ArticleVersion & { notedAt: number })[];
  /** Correction notes shown with a story of this edition: the next one need not list them. */
  notesShown: { articleId: string; notedAt: number }[];
  /** Articles that could not be shown. */
  rejected: Rejection[];
  /** Older articles are recorded as aged out when the edition closes. */
  window: EditionWindow;
  /** The newsletter's last edition at the time of composing. */
  lastEditionId: number | null;
  /** Represents the edition in feeds. */
  roundupArticle: Article;
}

/** What the size limit of an email did to an edition. */
interface EditionSize {
  /** Size of the largest copy's HTML. */
  bytes: number;
  /** Whether excerpts are shorter than usual. */
  shortExcerpts: boolean;
  /** Stories that the blocks had room for, and the email had not. */
  leftOut: number;
}

/** A slot with too few stories. */
export interface SkippedEdition {
  kind: 'skipped';
  reason: string;
  window: EditionWindow;
  /** Articles that could not be shown. */
  rejected: Rejection[];
  /** Null unless the draft is approved. */
  approval: ApprovalStatus | null;
  /** Why the edition must not close, with enough stories either; or null. */
  obstacle: ClosingObstacle | null;
}

export interface CompositionOptions extends ArrangementOptions {
  /** Set if it may only close because an editor lets it close then, epoch milliseconds: not if that was cancelled. */
  dueAt?: number | undefined;
  /** With `reissueOf`: whether subscribers who have an earlier revision get this one as well, as a correction. */
  isCorrection?: boolean | undefined;
  /** At least 16 random letters and digits, generated for this edition. */
  nonce: string;
  /** Default: in a thread, with the templates as they are on disk. */
  render?: RenderFunction | undefined;
  /** What `arrangeEdition` gave for the same newsletter and options; default: it is arranged now. */
  arranged?: ArrangedEdition | undefined;
}

/**
 * Composes the edition of a newsletter's slot from the store's content at `now`.
 * @throws Error if a template is invalid, or the nonce occurs in the edition's content
 */
export async function composeEdition(
  store: Store,
  config: Config,
  templates: Templates,
  newsletter: NewsletterConfig,
  options: CompositionOptions,
): Promise<ComposedEdition | SkippedEdition | { kind: 'closed'; edition: Edition }> {
  const { db } = store;
  const { slot, now, nonce, dueAt, reissueOf = null, isCorrection = false, render = renderInProcess } = options;
  const edition = await findEdition(db, newsletter.id, slot.label);
  if (edition !== null && reissueOf === null) return { kind: 'closed', edition };

  const arranged = options.arranged ?? (await arrangeEdition(db, config, newsletter, options));
  const { draft, last, cutoffAt, window, loading, loaded, approval } = arranged;
  const { rules } = loading;
  const voided = approval?.voided ?? null;
  const obstacle =
    reissueOf === null ? await findObstacle(db, config, newsletter, draft, { voided, now, dueAt }) : null;
  if (countStories(loaded.plan) < newsletter.minimumStories) {
    // Another process may have closed it meanwhile, with these stories.
    const closed = await findEdition(db, newsletter.id, slot.label);
    if (closed !== null && reissueOf === null) return { kind: 'closed', edition: closed };
    const reason = tooFewStories(loaded, newsletter, window);
    return { kind: 'skipped', reason, window, rejected: loaded.rejected, approval, obstacle };
  }

  const due = await loadCorrections(db, config, newsletter, reissueOf);
  const number = reissueOf?.number ?? (last?.number ?? 0) + 1;
  const revision = (reissueOf?.revision ?? 0) + 1;
  const locale = editionLocale(config, newsletter);
  const time = locale.dateline(now, config.publication.zone);
  const revisionNote = reissueOf === null ? null : locale.text('edition.revision', { revision, time });
  const about = { slot, number, draft, revision, revisionNote, isCorrection };
  const site = newsletterSite(config, newsletter);
  const attempt = async (limits: ContentLimits) => {
    const stories = await limitStories(db, loaded, limits, loading);
    const corrections = limitCorrections(due, limits);
    const leading = leadingArticles(stories, rules);
    const view = buildEditionView(config, newsletter, about, stories, leading, corrections.views);
    const rendered = await render(view, site, templates, { template: newsletter.template, nonce });
    const bytes = filledSize(rendered.html, nonce, config.publication.url) + (newsletter.choices ? COPY_SURPLUS : 0);
    const shown = countStories(stories.plan);
    const leftOut = countStories(loaded.plan) - shown;
    const size: EditionSize = { bytes, shortExcerpts: limits.excerpts === 'short', leftOut };
    return { stories, corrections, leading, view, rendered, size, bytes, removable: Math.max(shown - 1, 0) };
  };
  const { stories, corrections, leading, view, rendered, size } = await fitToSizeLimit(attempt);
  return {
    kind: 'composed',
    newsletter: newsletter.id,
    select: newsletter.select,
    slot: slot.label,
    slotAt: slot.slotAt,
    cutoffAt,
    number,
    revision,
    headline: view.headline,
    subject: view.subject,
    preheader: view.preheader,
    nonce,
    view,
    ...{ html: rendered.html, text: rendered.text, archiveHtml: rendered.archiveHtml },
    segments: newsletter.choices
      ? buildSegments(stories, view, rendered, preheaderTexts(newsletter, draft, view))
      : null,
    subjects: copySubjects(draft, newsletter.kicker, isCorrection, view, leading),
    size,
    articles: stories.placed.map(({ block, stored }, position) => ({ ...versionOf(stored), block, position })),
    didNotFit: stories.plan.didNotFit.map((candidate) => candidate.id),
    dropped: stories.plan.dropped.map((candidate) => candidate.id),
    draftRevision: draft.revision,
    approval: approval?.voided === null ? { ...approval, gone: missingOf(draft, stories) } : approval,
    obstacle,
    reissueOf,
    corrections: corrections.due,
    notesShown: stories.placed.flatMap(({ article: { id, status } }) =>
      status.state === 'corrected' ? [{ articleId: id, notedAt: status.at }] : [],
    ),
    rejected: [...stories.rejected, ...corrections.rejected],
    window,
    lastEditionId: last?.id ?? null,
    roundupArticle: buildRoundupArticle(view, {
      config,
      locale,
      id: reissueOf?.articleId ?? (await freeArticleId(db, `${newsletter.id}-${slot.label}`)),
      headline: roundupHeadline(locale, leading),
      image: stories.placed.find(({ block }) => block === 'lead')?.article.image ?? null,
      now,
      isPublic: newsletter.kind !== 'alert',
    }),
  };
}

async function limitStories(
  db: Db,
  loaded: LoadedStories,
  limits: ContentLimits,
  options: Omit<LoadOptions, 'excerpts'>,
): Promise<LoadedStories> {
  if (limits.excerpts === 'full') return loaded;
  const rules = { ...options.rules, blocks: limitBlocks(loaded.plan, limits), isSizeLimited: limits.share < 1 };
  const limited = await loadStories(db, loaded.candidates, { ...options, rules, excerpts: limits.excerpts });
  return { ...limited, rejected: [...loaded.rejected, ...limited.rejected] };
}

/** The approved stories that the edition lacks: they cannot be shown, or corrections made it too large for them. */
function missingOf({ state }: Draft, { placed }: LoadedStories): string[] {
  if (state.kind !== 'approved') return [];
  const shown = new Set(placed.map(({ article }) => article.id));
  return state.stories.filter(({ id }) => !shown.has(id)).map(({ id }) => id);
}

/** Keeps the oldest; the newest wait for the next edition. */
function limitCorrections({ views, due, rejected }: Corrections, { share }: ContentLimits): Corrections {
  const from = views.length - Math.ceil(views.length * share);
  return { views: views.slice(from), due: due.slice(from), rejected };
}

function tooFewStories({ plan, rejected }: LoadedStories, newsletter: NewsletterConfig, window: EditionWindow): string {
  const count = countStories(plan);
  const stories = count === 0 ? 'no story is' : count === 1 ? 'only 1 story is' : `only ${count} stories are`;
  const exclusions =
    rejected.length === 0 ? '' : `; rejected: ${rejected.map((s) => `${s.articleId} (${s.problems[0]})`).join(', ')}`;
  return (
    `${stories} ready since ${rfc3339(window.from)}, and ${newsletter.id} needs ` +
    `at least ${newsletter.minimumStories}${exclusions}`
  );
}

interface Corrections {
  views: Correction[];
  due: ComposedEdition['corrections'];
  rejected: Rejection[];
}

async function loadCorrections(
  db: Db,
  config: Config,
  newsletter: NewsletterConfig,
  reissueOf: Edition | null,
): Promise<Corrections> {
  const locale = editionLocale(config, newsletter);
  const corrections: Corrections = { views: [], due: [], rejected: [] };
  const due = reissueOf === null ? findDueCorrections(db, newsletter.id) : findListedCorrections(db, reissueOf.id);
  for (const stored of await due) {
    try {
      corrections.views.push(assertComplete(toCorrection(toArticle(stored), config, locale)));
      corrections.due.push({ ...versionOf(stored), notedAt: stored.notedAt });
    } catch (error) {
      corrections.rejected.push(toRejection(newsletter.id, stored, error));
    }
  }
  return corrections;
}

async function freeArticleId(db: Db, wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const id = n === 1 ? wanted : `${wanted}-${n}`;
    if (!(await isArticleIdTaken(db, id))) return id;
  }
}

/** Whether an article has that id, or has ever had it as its slug: a newsroom may have used the id of an edition. */
export async function isArticleIdTaken(db: Db, id: string): Promise<boolean> {
  const { rows } = await sql`select 1 from articles where id = ${id}
    union all select 1 from article_slugs where slug = ${id}`.execute(db);
  return rows.length > 0;
}

function versionOf({ articleId, digest, state }: ArticleVersion): ArticleVersion {
  return { articleId, digest, state };
}
