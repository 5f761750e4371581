/** One entry of another outlet's feed, as it was read: not yet identified, nor compared with what is known. */
export interface OutletEntry {
  /** The RSS guid, Atom id or JSON id as written, trimmed; at most 8,192 characters. Null if it has none. */
  guid: string | null;
  /** Whether the feed says that the guid is the address of the report. */
  isPermaLink: boolean;
  /** The address of the report: absolute, http or https, without a login. */
  link: string | null;
  /** Plain text on one line, clean; at most 5,000 characters. */
  title: string | null;
  /** Plain text on one line, clean; at most `MAX_SUMMARY` characters. */
  summary: string | null;
  /** Epoch milliseconds, at most a day ahead; null if the feed gives no date. */
  publishedAt: number | null;
  /** BCP 47, canonical: of the feed, null if it names none. */
  language: string | null;
  /** Absolute, http or https. */
  imageUrl: string | null;
}

/** Characters. An excerpt is shorter, and grouping needs no more. */
export const MAX_SUMMARY = 2_000;
