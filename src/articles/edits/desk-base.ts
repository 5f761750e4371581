/**
 * What the desk changed of an article that a file or a source brings. For each of these fields the store keeps what the
 * last import brought (the base): an import that brings the same again leaves the desk's value, and one that brings
 * another value replaces it. Pure; see docs/decisions/2026-11-27-desk-edits.md.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Article, type ArticleStatus, isPublic } from '../article.ts';
import type { Candidate } from '../import/candidate.ts';
import { correctedTime } from '../import/revise.ts';

/** The fields that the desk can change. `status` is changed together with the time of publication. */
export const DESK_FIELDS = ['headline', 'kicker', 'dek', 'section', 'body', 'pinned', 'status'] as const;
export type DeskField = (typeof DESK_FIELDS)[number];

/** The values of fields, as imports compare them. */
export type DeskBase = Partial<
  Pick<Article, 'headline' | 'kicker' | 'dek' | 'section' | 'body' | 'pinned'> & {
    status: BaseStatus;
    /** With `status`: the time of publication, epoch milliseconds. */
    publishedAt: number;
  }
>;

/** A status without the instants that daywire decides. */
interface BaseStatus {
  state: ArticleStatus['state'];
  note: string | null;
  embargo: number | null;
}

/** Parses `articles.desk_base`. */
export function parseDeskBase(stored: string | null): DeskBase {
  return stored === null ? {} : (JSON.parse(stored) as DeskBase);
}

/** @returns null where the desk has changed nothing */
export function serialiseDeskBase(base: DeskBase): string | null {
  return Object.keys(base).length === 0 ? null : JSON.stringify(base);
}

/**
 * The base after the desk has changed fields.
 * @param before the article before the change: for fields that the desk had not changed, what an import brought
 */
export function baseAfterEdit(base: DeskBase, before: Article, changed: readonly DeskField[]): DeskBase {
  const added = changed.filter((field) => !(field in base));
  const time = added.includes('status') ? { publishedAt: before.publishedAt } : {};
  return { ...Object.fromEntries(added.map((field) => [field, baseValue(before, field)])), ...time, ...base };
}

/** What an import changes of an article that the desk has changed. */
export interface KeptEdits {
  candidate: Candidate;
  base: DeskBase;
  /** Fields in which the import replaces another value of the desk. */
  replaced: DeskField[];
}

/**
 * Puts into a candidate what the desk has changed, except where the import brings something new.
 * @param now epoch milliseconds
 */
export function keepDeskEdits(candidate: Candidate, current: Article, base: DeskBase, now: number): KeptEdits {
  const kept: KeptEdits = { candidate: { ...candidate }, base: {}, replaced: [] };
  for (const field of DESK_FIELDS) {
    if (!(field in base)) continue;
    const brought = field === 'status' ? baseOfWritten(candidate.writtenStatus) : candidate[field];
    const isMoved = field === 'status' && bringsOtherTime(candidate, current, base, now);
    if (isDeepStrictEqual(brought, base[field]) && !isMoved) {
      Object.assign(kept.base, { [field]: base[field] });
      if (field === 'status') Object.assign(kept.base, { publishedAt: base.publishedAt });
      Object.assign(kept.candidate, candidateValues(current, field));
      // The desk has changed the status alone.
      if (correctedTime(candidate, current, now) !== null) {
        const { published, publishedUntil } = candidate;
        Object.assign(kept.candidate, { published, publishedUntil, isDateInvented: undefined });
      }
    } else if (!isDeepStrictEqual(brought, baseValue(current, field))) {
      kept.replaced.push(field);
    }
  }
  return kept;
}

/** Whether an import moves the time of an article that nobody has read yet. Once it is public, its time stays. */
function bringsOtherTime(candidate: Candidate, current: Article, { publishedAt }: DeskBase, now: number): boolean {
  const { published, publishedUntil, writtenStatus } = candidate;
  if (published === null || publishedAt === undefined) return false;
  if (current.status.state === 'retracted' || isPublic(current, now)) return false;
  if (publishedUntil !== null && publishedAt >= published && publishedAt < publishedUntil) return false;
  return Math.max(published, 'embargo' in writtenStatus ? writtenStatus.embargo : published) !== publishedAt;
}

/** The candidate that leaves an article as it is. */
export function candidateOf(article: Article): Candidate {
  const { tagUri: _, publishedAt, updatedAt: __, status, page: ___, ...fields } = article;
  return {
    ...fields,
    published: publishedAt,
    publishedUntil: null,
    updated: null,
    writtenStatus: writtenStatus(status),
  };
}

/** The values of a field in an article, as a candidate has them. */
export function candidateValues(article: Article, field: DeskField): Partial<Candidate> {
  switch (field) {
    case 'body':
      return { body: article.body, bodyHtml: article.bodyHtml };
    case 'status': {
      const { published, publishedUntil, isDateInvented, writtenStatus } = candidateOf(article);
      return { published, publishedUntil, isDateInvented, writtenStatus };
    }
    default:
      return { [field]: article[field] };
  }
}

function baseValue(article: Article, field: DeskField): unknown {
  return field === 'status' ? baseOfWritten(writtenStatus(article.status)) : article[field];
}

function writtenStatus(status: ArticleStatus): Candidate['writtenStatus'] {
  switch (status.state) {
    case 'scheduled':
      return { state: 'scheduled', embargo: status.until };
    case 'corrected':
    case 'retracted':
      return { state: status.state, note: status.note, noteAt: status.at };
    default:
      return status;
  }
}

function baseOfWritten(status: Candidate['writtenStatus']): BaseStatus {
  const { state } = status;
  return {
    state,
    note: 'note' in status ? status.note : null,
    embargo: 'embargo' in status ? status.embargo : null,
  };
}
