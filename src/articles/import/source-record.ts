/**
 * One article as it stands in a file, not yet looked into.
 */
export interface SourceRecord {
  /** From 1; null where the whole file is the article. */
  line: number | null;
  /** Bytes of the source up to the end of this piece, for those who wait. */
  readTo: number;
  content:
    | { kind: 'text'; text: string }
    /** Read, but no text that an article could be. */
    | { kind: 'unusable'; rule: string; raw: string }
    /** Not read: nothing is known of this file, or of the rest of it. */
    | { kind: 'unreadable'; rule: string }
    /** The file vanished since it was listed. */
    | { kind: 'gone' };
}

/** More bytes than this are no article: Google News takes 1 MB. */
export const LONGEST_ARTICLE = 8 * 1024 * 1024;
