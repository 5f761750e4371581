/** One article as text, before it is parsed. */
export interface SourceRecord {
  /** From 1, or null if the whole file is the article. */
  line: number | null;
  /** Bytes of the file up to the end of this record, for progress. */
  readTo: number;
  content:
    | { kind: 'text'; text: string }
    /** Read, but not the text of an article. */
    | { kind: 'unusable'; rule: string; raw: string }
    /** The file, or the rest of it, could not be read. */
    | { kind: 'unreadable'; rule: string }
    /** The file has been removed since it was listed. */
    | { kind: 'gone' };
}

/** Google News accepts 1 MB per article. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;
