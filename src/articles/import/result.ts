/**
 * The result of an import. Counts are exact. The lists hold the first entries only, so that memory stays bounded; the
 * store holds all rejections.
 */

export interface ImportResultEntry {
  /** The file, as the user named it. */
  source: string;
  line: number | null;
  articleId: string | null;
  /** `file:line: message` */
  problems: string[];
}

export interface ArticleImportResult {
  added: number;
  updated: number;
  unchanged: number;
  rejected: ImportResultEntry[];
  rejectedCount: number;
  warnings: ImportResultEntry[];
  warningCount: number;
  /** News of a first import that waits for the operator: how many, and the places of three. */
  heldNews: number;
  heldExamples: string[];
  /** Keys that were left out because they mean nothing here, such as `layout`; at most 100. */
  ignoredKeys: string[];
}

const MAX_LISTED = 1_000;

export function emptyResult(): ArticleImportResult {
  const counts = { added: 0, updated: 0, unchanged: 0, rejectedCount: 0, warningCount: 0, heldNews: 0 };
  return { ...counts, rejected: [], warnings: [], heldExamples: [], ignoredKeys: [] };
}

export function addToResult(whole: ArticleImportResult, part: ArticleImportResult): void {
  whole.added += part.added;
  whole.updated += part.updated;
  whole.unchanged += part.unchanged;
  whole.rejectedCount += part.rejectedCount;
  whole.warningCount += part.warningCount;
  whole.rejected.push(...part.rejected.slice(0, MAX_LISTED - whole.rejected.length));
  whole.warnings.push(...part.warnings.slice(0, MAX_LISTED - whole.warnings.length));
}
