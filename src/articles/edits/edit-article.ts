/** Edits of an article at the desk: its text, its pin, its embargo, and its correction. */
import type { AppContext } from '../../core/app-context.ts';
import { type Article, isPublic } from '../article.ts';
import type { Candidate } from '../import/candidate.ts';
import { candidateOf } from './desk-base.ts';
import {
  ArticleConflictError,
  ArticleEditError,
  type ArticleProblem,
  EMBARGO_OVER,
  readWritten,
} from './read-written.ts';
import { type ArticleActor, type ArticleOutcome, changeArticle, readStoredArticle } from './stored-article.ts';

/** When an article that is not public yet becomes public. `time`: as in front matter, in the publication's zone. */
export type Release = { kind: 'draft' } | { kind: 'now' } | { kind: 'at'; time: string };

/** Whether a correction note announces the change of a public article. */
type ChangeNotice = { kind: 'silent' } | { kind: 'correction'; note: string };

/** Values as an editor wrote them. What is missing, or is as it is stored, stays as it is. */
export interface ArticleEdit {
  headline?: string | undefined;
  kicker?: string | undefined;
  dek?: string | undefined;
  /** The id of a section; empty for none. */
  section?: string | undefined;
  /** In the format of the stored body. */
  body?: string | undefined;
  pinned?: boolean | undefined;
  release?: Release | undefined;
  notice?: ChangeNotice | undefined;
}

export type EditOutcome = ArticleOutcome & { warnings: string[] };

const TEXT_FIELDS = ['headline', 'kicker', 'dek', 'section'] as const;

/** Fields whose change readers notice: a public article asks whether it is a correction. */
const READ_FIELDS: readonly string[] = ['headline', 'kicker', 'dek', 'body'];

/**
 * @param seen the digest of the article that the editor saw
 * @throws ArticleEditError with all problems; ArticleConflictError if the article is another one by now
 */
export async function editArticle(
  app: AppContext,
  id: string,
  edit: ArticleEdit,
  { seen, ...actor }: ArticleActor & { seen: string },
): Promise<EditOutcome> {
  const { store, config, clock } = app;
  const stored = await readStoredArticle(store.db, id);
  if (stored === null) throw new ArticleEditError([{ field: null, message: `There is no article ${id}.` }]);
  if (stored.digest !== seen) throw new ArticleConflictError(stored.article, stored.digest);
  const { article, origin } = stored;
  const changed = changedKeys(article, edit);
  const problems = problemsOf(article, edit, changed, clock());
  const status = statusRecord(edit);
  const record = { id, ...valuesOf(article, edit, changed), ...status };
  if (changed.length === 0 && Object.keys(status).length === 0 && problems.length === 0) {
    return { kind: 'unchanged', article, warnings: [] };
  }
  const written = await readWritten(config, record, origin, problems);
  problems.push(...embargoProblems(written.candidate, clock()));
  if (problems.length > 0) throw new ArticleEditError(problems);
  const [now, isStatusWritten] = [clock(), Object.keys(status).length > 0];
  const outcome = await changeArticle(app, id, 'edit', actor, (current) => {
    if (current.digest !== seen) throw new ArticleConflictError(current.article, current.digest);
    return { ...candidateOf(current.article), ...partsOf(written.candidate, changed, isStatusWritten, now) };
  });
  return { ...outcome, warnings: written.warnings };
}

/** Browsers send line ends as CR LF. */
export function plainLineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

type EditKey = (typeof TEXT_FIELDS)[number] | 'body' | 'pinned';

function changedKeys(article: Article, edit: ArticleEdit): EditKey[] {
  const texts = TEXT_FIELDS.filter(
    (key) => edit[key] !== undefined && plainLineEnds(edit[key]) !== (article[key] ?? ''),
  );
  const isBody = edit.body !== undefined && plainLineEnds(edit.body) !== article.body.source;
  const isPinned = edit.pinned !== undefined && edit.pinned !== article.pinned;
  return [...texts, ...(isBody ? ['body' as const] : []), ...(isPinned ? ['pinned' as const] : [])];
}

/** The record that is parsed: what is not changed needs no check, and only has to be valid. */
function valuesOf(article: Article, edit: ArticleEdit, changed: readonly EditKey[]): Record<string, unknown> {
  const values: Record<string, unknown> = { headline: 'unchanged' };
  for (const key of changed) values[key] = key === 'pinned' ? edit.pinned : edit[key];
  if (changed.includes('body')) values.format = article.body.format;
  return values;
}

/** The keys of the record for a change of the status; none where it stays. */
function statusRecord({ release, notice }: ArticleEdit): Record<string, unknown> {
  if (release !== undefined) {
    switch (release.kind) {
      case 'draft':
        return { state: 'draft' };
      case 'now':
        return { state: 'published' };
      case 'at':
        return { state: 'scheduled', embargo: release.time };
    }
  }
  if (notice?.kind !== 'correction') return {};
  return { state: 'corrected', note: notice.note };
}

function problemsOf(
  article: Article,
  { release, notice }: ArticleEdit,
  changed: readonly EditKey[],
  now: number,
): ArticleProblem[] {
  const problems: ArticleProblem[] = [];
  if (article.status.state === 'retracted') {
    return [{ field: null, message: 'The article is retracted: take the retraction back first.' }];
  }
  const isOut = isPublic(article, now);
  if (isOut && release !== undefined) {
    problems.push({ field: 'release', message: 'The article is public: it can only be corrected or retracted.' });
  }
  if (!isOut && notice?.kind === 'correction') {
    problems.push({ field: 'notice', message: 'Nobody has read the article yet, so there is nothing to correct.' });
  }
  if (isOut && notice === undefined && changed.some((key) => READ_FIELDS.includes(key))) {
    problems.push({ field: 'notice', message: 'Readers have seen the article: say whether this is a correction.' });
  }
  return problems;
}

function embargoProblems({ writtenStatus }: Candidate, now: number): ArticleProblem[] {
  if (writtenStatus.state !== 'scheduled' || writtenStatus.embargo > now) return [];
  return [{ field: 'embargo', message: EMBARGO_OVER }];
}

function partsOf(parsed: Candidate, changed: readonly EditKey[], hasStatus: boolean, now: number): Partial<Candidate> {
  const parts: Partial<Candidate> = {};
  for (const key of changed) {
    if (key === 'body') Object.assign(parts, { body: parsed.body, bodyHtml: parsed.bodyHtml });
    else Object.assign(parts, { [key]: parsed[key] });
  }
  if (!hasStatus) return parts;
  const { writtenStatus } = parsed;
  // A time of before would hold an article back that is published now, or is embargoed until an earlier time.
  const isReleased = writtenStatus.state === 'published' || writtenStatus.state === 'scheduled';
  const published = writtenStatus.state === 'published' ? now : null;
  return { ...parts, writtenStatus, ...(isReleased ? { published, isDateInvented: undefined } : {}) };
}
