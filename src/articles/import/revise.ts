/**
 * Decides how a candidate changes the stored article of its id. Pure.
 *
 * - The tag: URI is made once. Once an article is public, `publishedAt` does not move, and the article cannot become a
 *   draft or be embargoed again: it can only be corrected or retracted.
 * - An article without a date never becomes news by itself: it is rejected, unless the operator decides otherwise. An
 *   invented date moves to the first one that somebody writes, also when the article is public.
 * - `published` in the future holds an article back like an embargo.
 * - A day without a time means the moment of the first import, if that is on the day; else the beginning of the day.
 * - `updatedAt` moves only with an edit, never before `publishedAt`: edits before publication are not updates. Nor are
 *   another address of the page and other tracking parameters; see `saysTheSame`.
 * - A note keeps the instant of its first import until its text changes.
 * - A retraction without a body keeps the old body.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Article, type ArticleStatus, isPublic, tagUri } from '../article.ts';
import type { Candidate } from './candidate.ts';
import { articleDigest, saysTheSame } from './digest.ts';

export type Revision =
  | { kind: 'added' | 'updated'; article: Article; digest: string; warnings: FieldMessage[] }
  /** Not edited, but what daywire derives has changed, such as the sanitised body. `updatedAt` stays. */
  | { kind: 'refreshed'; article: Article; digest: string; warnings: FieldMessage[] }
  | { kind: 'unchanged'; warnings: FieldMessage[] }
  | { kind: 'rejected'; problems: FieldMessage[] };

/** The keys that messages below are about, and `id`. */
export const PLACED_KEYS = ['id', 'slug', 'state', 'embargo', 'published', 'updated', 'noteAt'] as const;
export type PlacedKey = (typeof PLACED_KEYS)[number];

/** About one key of a record. */
export interface FieldMessage {
  key: PlacedKey;
  message: string;
}

export interface CurrentArticle {
  article: Article;
  digest: string;
}

export interface RevisionContext {
  now: number;
  tagAuthority: string;
  /** Without a trailing slash. */
  publicUrl: string;
  /** What becomes of a new article without a date: published as of now, or a draft. Undefined: it is rejected. */
  undated?: 'now' | 'draft' | undefined;
}

const UNDATED_RULE =
  'published is missing: write the date, such as "published: 2015-03-26 18:30", or put it into the name of the file, ' +
  'as in 2015-03-26-title.md; or import with "--undated now" or "--undated draft"';

/**
 * @param slug see `chooseSlug`
 * @param current the stored article of the same id, or null
 */
export function revise(
  written: Candidate,
  slug: string,
  current: CurrentArticle | null,
  context: RevisionContext,
): Revision {
  const { now, tagAuthority, publicUrl } = context;
  const before = current?.article ?? null;
  const published = before !== null && hasBeenPublic(before, now) ? before : null;
  const candidate = isUndated(written, before) ? decideUndated(written, context) : written;
  const problems = problemsOf(candidate, before, published, now);
  if (isUndated(candidate, before)) problems.push({ key: 'published', message: UNDATED_RULE });
  if (problems.length > 0) return { kind: 'rejected', problems };

  const warnings: FieldMessage[] = [];
  const corrected = published === null ? null : correctedTime(candidate, published, now);
  const publishedAt = corrected ?? published?.publishedAt ?? publicationTime(candidate, before, now);
  const isMoved = published !== null && publicationTime(candidate, null, now) !== publishedAt;
  if (isMoved && candidate.published !== null && !isOnWrittenDay(candidate, publishedAt)) {
    warnings.push({ key: 'published', message: `is ignored: the article has been public since ${iso(publishedAt)}` });
  }
  const isDateInvented =
    published === null ? hasInventedDate(candidate, before) : corrected === null && published.isDateInvented;
  const { published: _, publishedUntil: __, isDateInvented: ___, updated, writtenStatus, ...fields } = candidate;
  const status = statusOf(candidate, before, published, publishedAt, now, warnings);
  const keepsBody = status.state === 'retracted' && fields.body.source === '' && before !== null;
  const article: Article = {
    ...fields,
    ...(keepsBody ? { body: before.body, bodyHtml: before.bodyHtml } : {}),
    ...(isDateInvented ? { isDateInvented } : {}),
    tagUri: before?.tagUri ?? tagUri(tagAuthority, candidate.id),
    slug,
    publishedAt,
    updatedAt: publishedAt,
    status,
    page: null,
  };
  const digest = articleDigest(article, publicUrl);

  if (current !== null && digest === current.digest) {
    article.updatedAt = current.article.updatedAt;
    const isSame = isDeepStrictEqual(article, current.article);
    return isSame ? { kind: 'unchanged', warnings } : { kind: 'refreshed', article, digest, warnings };
  }
  if (published !== null && saysTheSame(published, { ...article, publishedAt: published.publishedAt }, publicUrl)) {
    if (published.updatedAt !== published.publishedAt) article.updatedAt = Math.max(published.updatedAt, publishedAt);
    return { kind: 'refreshed', article, digest, warnings };
  }
  article.updatedAt = updateTime(updated, published, publishedAt, now, warnings);
  return { kind: current === null ? 'added' : 'updated', article, digest, warnings };
}

/**
 * Chooses the slug as written, if no other article has it; else the current one, so that an edited headline moves no
 * URL; else the first suggestion that is free, or null.
 * @param ownerOf the id of the article that has or had a slug
 */
export function chooseSlug(
  candidate: Pick<Candidate, 'id' | 'slug'>,
  currentSlug: string | null,
  suggestions: string[],
  ownerOf: (slug: string) => string | undefined,
): string | null {
  const isFree = (slug: string): boolean => (ownerOf(slug) ?? candidate.id) === candidate.id;
  return [candidate.slug ?? [], currentSlug ?? [], suggestions].flat().find(isFree) ?? null;
}

/** A retracted article has been public if it was when it was retracted. */
function hasBeenPublic(article: Article, now: number): boolean {
  const { status, publishedAt } = article;
  return status.state === 'retracted' ? publishedAt <= status.at : isPublic(article, now);
}

/**
 * Whether an article becomes public without a date of its own. One that is stored as a draft for that reason still
 * lacks it; another draft is published by the one who removes `state: draft`.
 */
function isUndated({ published, writtenStatus }: Candidate, before: Article | null): boolean {
  const isNew = before === null || (before.status.state === 'draft' && before.isDateInvented === true);
  return isNew && published === null && isPublicState(writtenStatus.state);
}

function isPublicState(state: ArticleStatus['state']): boolean {
  return state === 'published' || state === 'corrected';
}

function decideUndated(candidate: Candidate, { now, undated }: RevisionContext): Candidate {
  if (undated === undefined) return candidate;
  const invented = { ...candidate, isDateInvented: true } as const;
  return undated === 'now' ? { ...invented, published: now } : { ...invented, writtenStatus: { state: 'draft' } };
}

/** The first written date of a public article with an invented one; null if it keeps its date. */
export function correctedTime(candidate: Candidate, published: Article, now: number): number | null {
  if (!published.isDateInvented || candidate.published === null || candidate.isDateInvented) return null;
  if (isOnWrittenDay(candidate, published.publishedAt)) return published.publishedAt;
  const time = publicationTime(candidate, null, now);
  // It stays public, or retracted after it was.
  const { status } = published;
  const isKept = status.state === 'retracted' && candidate.writtenStatus.state === 'retracted';
  return time <= (isKept ? status.at : now) ? time : null;
}

/** @param before not public */
function hasInventedDate({ published, isDateInvented, writtenStatus }: Candidate, before: Article | null): boolean {
  if (published !== null || writtenStatus.state === 'draft') return isDateInvented === true;
  return isPublicState(writtenStatus.state) && futureDate(before) === null;
}

function futureDate(before: Article | null): number | null {
  return before !== null && isPublicState(before.status.state) ? before.publishedAt : null;
}

/** @param published the stored article, if it has been public */
function problemsOf(
  { writtenStatus }: Candidate,
  before: Article | null,
  published: Article | null,
  now: number,
): FieldMessage[] {
  if (before !== null && before.page !== null) {
    return [{ key: 'id', message: `the closed edition at ${before.page} has this id: choose another` }];
  }
  if (published === null) return [];
  if (writtenStatus.state === 'draft') {
    return [{ key: 'state', message: 'the article is public and cannot become a draft again: retract it instead' }];
  }
  if (writtenStatus.state === 'scheduled' && writtenStatus.embargo > now) {
    return [{ key: 'embargo', message: 'the article is public and cannot be embargoed again: retract it instead' }];
  }
  return [];
}

/** Whether the newsroom wrote the day of an instant, without a time. */
function isOnWrittenDay({ published, publishedUntil }: Candidate, instant: number): boolean {
  return published !== null && publishedUntil !== null && instant >= published && instant < publishedUntil;
}

/** On the day itself, its beginning would be too early for the news of the last 24 hours in the next edition. */
function writtenTime(candidate: Candidate, before: Article | null, now: number): number | null {
  if (!isOnWrittenDay(candidate, now)) return candidate.published;
  // A repeated import of a draft changes nothing.
  const isKept = candidate.writtenStatus.state === 'draft' && before !== null;
  return isKept && isOnWrittenDay(candidate, before.publishedAt) ? before.publishedAt : now;
}

function publicationTime(candidate: Candidate, before: Article | null, now: number): number {
  const { writtenStatus } = candidate;
  const published = writtenTime(candidate, before, now);
  switch (writtenStatus.state) {
    case 'scheduled':
      return Math.max(published ?? writtenStatus.embargo, writtenStatus.embargo);
    case 'published':
    case 'corrected':
      return published ?? futureDate(before) ?? now;
    case 'draft':
      return published ?? before?.publishedAt ?? now;
    // A retraction does not publish an article that has not been public.
    case 'retracted':
      return before?.publishedAt ?? published ?? now;
  }
}

function statusOf(
  { writtenStatus }: Candidate,
  before: Article | null,
  published: Article | null,
  publishedAt: number,
  now: number,
  warnings: FieldMessage[],
): ArticleStatus {
  switch (writtenStatus.state) {
    case 'draft':
    case 'published':
      return { state: writtenStatus.state };
    case 'scheduled':
      return { state: 'scheduled', until: Math.min(writtenStatus.embargo, publishedAt) };
    case 'corrected':
    case 'retracted': {
      const { state, note, noteAt } = writtenStatus;
      const known = before?.status.state === state && before.status.note === note ? before.status.at : null;
      const isFuture = noteAt !== null && noteAt > now;
      // Otherwise a retracted article would count as one that has never been public.
      const isTooEarly = noteAt !== null && published !== null && noteAt < publishedAt;
      const instead = 'the time of the first import is used instead';
      if (isFuture) warnings.push({ key: 'noteAt', message: `is in the future: ${instead}` });
      if (isTooEarly) {
        const message = `is before the article became public at ${iso(publishedAt)}: ${instead}`;
        warnings.push({ key: 'noteAt', message });
      }
      return { state, note, at: (isFuture || isTooEarly ? null : noteAt) ?? known ?? now };
    }
  }
}

/** @param published the stored article, if it has been public */
function updateTime(
  updated: number | null,
  published: Article | null,
  publishedAt: number,
  now: number,
  warnings: FieldMessage[],
): number {
  const latest = Math.max(now, publishedAt);
  if (updated !== null && updated > latest) {
    warnings.push({ key: 'updated', message: 'is in the future: the current time is used instead' });
  }
  const given = updated === null ? null : Math.min(updated, latest);
  if (published === null) return Math.max(publishedAt, given ?? publishedAt);
  return given !== null && given > published.updatedAt ? given : Math.max(now, published.updatedAt);
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
