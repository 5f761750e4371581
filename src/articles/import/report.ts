/**
 * What an import did, for people. Counts are exact; the lists hold the first entries, so that no import outgrows the memory:
 * all that was set aside stands in the store.
 */

export interface ReportEntry {
  /** The file as it was named. */
  source: string;
  line: number | null;
  articleId: string | null;
  /** `file:line: what`, one for each. */
  problems: string[];
}

export interface ImportReport {
  added: number;
  updated: number;
  unchanged: number;
  setAside: ReportEntry[];
  setAsideCount: number;
  warnings: ReportEntry[];
  warningCount: number;
}

const LISTED = 1_000;

/** A report of nothing done yet. */
export function emptyReport(): ImportReport {
  return { added: 0, updated: 0, unchanged: 0, setAside: [], setAsideCount: 0, warnings: [], warningCount: 0 };
}

/** Adds what one batch did to the whole. */
export function addToReport(whole: ImportReport, part: ImportReport): void {
  whole.added += part.added;
  whole.updated += part.updated;
  whole.unchanged += part.unchanged;
  whole.setAsideCount += part.setAsideCount;
  whole.warningCount += part.warningCount;
  whole.setAside.push(...part.setAside.slice(0, LISTED - whole.setAside.length));
  whole.warnings.push(...part.warnings.slice(0, LISTED - whole.warnings.length));
}
