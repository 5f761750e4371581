/**
 * What an import did, for people. Counts are exact; the lists hold the first entries, so that no import outgrows the memory:
 * all that was rejected stands in the store.
 */

export interface ReportEntry {
  /** The file as it was named. */
  source: string;
  line: number | null;
  articleId: string | null;
  /** `file:line: what`, one for each. */
  problems: string[];
}

export interface ArticleImportReport {
  added: number;
  updated: number;
  unchanged: number;
  rejected: ReportEntry[];
  rejectedCount: number;
  warnings: ReportEntry[];
  warningCount: number;
}

const LISTED = 1_000;

/** A report of nothing done yet. */
export function emptyReport(): ArticleImportReport {
  return { added: 0, updated: 0, unchanged: 0, rejected: [], rejectedCount: 0, warnings: [], warningCount: 0 };
}

/** Adds what one batch did to the whole. */
export function addToReport(whole: ArticleImportReport, part: ArticleImportReport): void {
  whole.added += part.added;
  whole.updated += part.updated;
  whole.unchanged += part.unchanged;
  whole.rejectedCount += part.rejectedCount;
  whole.warningCount += part.warningCount;
  whole.rejected.push(...part.rejected.slice(0, LISTED - whole.rejected.length));
  whole.warnings.push(...part.warnings.slice(0, LISTED - whole.warnings.length));
}
