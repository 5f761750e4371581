/**
 * The rules of revision: what a candidate makes of the article that stands in the store under its id. Pure; nothing is written.
 *
 * - The tag: URI is made once. `publishedAt` never moves once readers could see the article, and a draft or an embargo does not
 *   come back then: what is out can only be corrected or retracted.
 * - `published` in the future holds an article back like an embargo.
 * - `updatedAt` moves only with an edit, and counts from `publishedAt`: edits made before an article is public are not updates.
 * - A note keeps the instant at which it was first seen until its words change. A retraction without a body keeps the old one.
 */
import { type Article, type ArticleStatus, isPublic, tagUri } from '../article.ts';
import type { Candidate } from './candidate.ts';
import { articleDigest } from './digest.ts';

export type Revision =
  | { kind: 'added' | 'updated'; article: Article; digest: string; warnings: FieldMessage[] }
  /** No edit, but what daywire derives has changed, such as the sanitised body: stored anew, with its `updatedAt`. */
  | { kind: 'refreshed'; article: Article; digest: string; warnings: FieldMessage[] }
  | { kind: 'unchanged'; warnings: FieldMessage[] }
  | { kind: 'refused'; problems: FieldMessage[] };

/** About one key of what was written. */
export interface FieldMessage {
  key: string;
  message: string;
}

/** The article's row, as it stands. */
export interface StoredArticle {
  article: Article;
  digest: string;
}

export interface RevisionContext {
  now: number;
  tagAuthority: string;
  /** Without a slash at its end. */
  publicUrl: string;
}

/**
 * Decides what becomes of a candidate.
 * @param slug the one it shall have; see `chooseSlug`
 * @param stored the article of the same id, or null
 */
export function revise(
  candidate: Candidate,
  slug: string,
  stored: StoredArticle | null,
  context: RevisionContext,
): Revision {
  const { now } = context;
  const before = stored?.article ?? null;
  const wasOut = before !== null && wasPublic(before, now);
  const problems = refusals(candidate, before, wasOut, now);
  if (problems.length > 0) return { kind: 'refused', problems };

  const warnings: FieldMessage[] = [];
  const publishedAt = wasOut ? before.publishedAt : publicationOf(candidate, before, now);
  const given = candidate.published === null ? null : publicationOf(candidate, null, now);
  if (wasOut && given !== null && given !== publishedAt) {
    warnings.push({ key: 'published', message: `the article is public since ${iso(publishedAt)}, which stays` });
  }
  const status = statusOf(candidate, before, { publishedAt, wasOut, now }, warnings);
  const article = assemble(candidate, { slug, before, publishedAt, status, context });
  const digest = articleDigest(article, context.publicUrl);

  if (stored !== null && digest === stored.digest) {
    article.updatedAt = stored.article.updatedAt;
    const same = JSON.stringify(article) === JSON.stringify(stored.article);
    return same ? { kind: 'unchanged', warnings } : { kind: 'refreshed', article, digest, warnings };
  }
  article.updatedAt = updateOf(candidate, wasOut ? before : null, publishedAt, now, warnings);
  return { kind: stored === null ? 'added' : 'updated', article, digest, warnings };
}

/** The slug a candidate shall have, or the article that has it already. */
export type SlugChoice = { kind: 'slug'; slug: string } | { kind: 'taken'; slug: string; by: string };

/**
 * The slug that was written; else the one the article has, so that an edited headline moves no address; else the first of the
 * suggestions that is free.
 * @param ownerOf the id of the article that has or once had a slug
 */
export function chooseSlug(
  candidate: Pick<Candidate, 'id' | 'slug'>,
  storedSlug: string | null,
  suggestions: string[],
  ownerOf: (slug: string) => string | undefined,
): SlugChoice {
  const written = candidate.slug ?? storedSlug;
  const wanted = written === null ? suggestions : [written];
  const free = wanted.find((slug) => (ownerOf(slug) ?? candidate.id) === candidate.id);
  if (free !== undefined) return { kind: 'slug', slug: free };
  const slug = wanted.at(-1) as string;
  return { kind: 'taken', slug, by: ownerOf(slug) as string };
}

/** Whether readers have been able to see it: a retracted one too, if it was public when it was retracted. */
function wasPublic(article: Article, now: number): boolean {
  const { status, publishedAt } = article;
  return status.state === 'retracted' ? publishedAt <= status.at : isPublic(article, now);
}

function refusals(candidate: Candidate, before: Article | null, wasOut: boolean, now: number): FieldMessage[] {
  if (before !== null && before.page !== null) {
    return [{ key: 'id', message: `the closed edition at ${before.page} has this id: choose another` }];
  }
  const { writtenStatus: standing } = candidate;
  if (!wasOut) return [];
  if (standing.state === 'draft') {
    return [{ key: 'state', message: 'the article is public and cannot become a draft again: retract it instead' }];
  }
  if (standing.state === 'scheduled' && standing.embargo > now) {
    return [{ key: 'embargo', message: 'the article is public and cannot be embargoed again: retract it instead' }];
  }
  return [];
}

function publicationOf({ published, writtenStatus: standing }: Candidate, before: Article | null, now: number): number {
  switch (standing.state) {
    case 'scheduled':
      return Math.max(published ?? standing.embargo, standing.embargo);
    case 'published':
    case 'corrected':
      return published ?? now;
    case 'draft':
      return published ?? before?.publishedAt ?? now;
    // What readers never saw does not become public by being taken back.
    case 'retracted':
      return before?.publishedAt ?? published ?? now;
  }
}

function statusOf(
  { writtenStatus: standing }: Candidate,
  before: Article | null,
  { publishedAt, wasOut, now }: { publishedAt: number; wasOut: boolean; now: number },
  warnings: FieldMessage[],
): ArticleStatus {
  switch (standing.state) {
    case 'draft':
    case 'published':
      return { state: standing.state };
    case 'scheduled':
      return { state: 'scheduled', until: Math.min(standing.embargo, publishedAt) };
    case 'corrected':
    case 'retracted': {
      const { state, note, noteAt } = standing;
      const known = before?.status.state === state && before.status.note === note ? before.status.at : null;
      if (noteAt !== null && noteAt > now) {
        warnings.push({ key: 'noteAt', message: 'lies in the future: the moment it was first seen is taken instead' });
      }
      // Or a retracted story would count as one that readers never saw.
      const tooEarly = noteAt !== null && wasOut && noteAt < publishedAt;
      if (tooEarly) {
        const says = `lies before the article was public, at ${iso(publishedAt)}: the moment it was first seen is taken instead`;
        warnings.push({ key: 'noteAt', message: says });
      }
      const given = noteAt !== null && noteAt <= now && !tooEarly ? noteAt : null;
      return { state, note, at: given ?? known ?? now };
    }
  }
}

/** @param before the article, if readers could see it */
function updateOf(
  candidate: Candidate,
  before: Article | null,
  publishedAt: number,
  now: number,
  warnings: FieldMessage[],
): number {
  const { updated } = candidate;
  const inFuture = updated !== null && updated > Math.max(now, publishedAt);
  if (inFuture) warnings.push({ key: 'updated', message: 'lies in the future: now is taken instead' });
  const given = updated === null ? null : Math.min(updated, Math.max(now, publishedAt));
  if (before === null) return Math.max(publishedAt, given ?? publishedAt);
  return given !== null && given > before.updatedAt ? given : Math.max(now, before.updatedAt);
}

function assemble(
  candidate: Candidate,
  decided: {
    slug: string;
    before: Article | null;
    publishedAt: number;
    status: ArticleStatus;
    context: RevisionContext;
  },
): Article {
  const { slug, before, publishedAt, status, context } = decided;
  const keepsBody = status.state === 'retracted' && candidate.body.source === '' && before !== null;
  return {
    id: candidate.id,
    tagUri: before?.tagUri ?? tagUri(context.tagAuthority, candidate.id),
    slug,
    kind: candidate.kind,
    kicker: candidate.kicker,
    topic: candidate.topic,
    headline: candidate.headline,
    shortHeadline: candidate.shortHeadline,
    pinned: candidate.pinned,
    dek: candidate.dek,
    body: keepsBody ? before.body : candidate.body,
    bodyHtml: keepsBody ? before.bodyHtml : candidate.bodyHtml,
    publishedAt,
    updatedAt: publishedAt,
    section: candidate.section,
    tags: candidate.tags,
    bylines: candidate.bylines,
    fullStory: candidate.fullStory,
    related: candidate.related,
    outlet: candidate.outlet,
    eventKey: candidate.eventKey,
    image: candidate.image,
    enclosures: candidate.enclosures,
    language: candidate.language,
    status,
    page: null,
  };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
