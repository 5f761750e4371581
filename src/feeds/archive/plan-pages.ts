/** Divides the articles that wait for a page of an archive into pages. Pure. */
import { wallClock } from '../../lib/time.ts';

/** An article of an archive that is on no page yet. */
export interface Member {
  id: string;
  /** When a publish first found it public and selected, epoch milliseconds. */
  recordedAt: number;
  /** Size of the stored document, which has the body as written and sanitised. */
  bytes: number;
}

export interface PlannedPage {
  /** `2026-10`, in the publication's zone. */
  month: string;
  members: Member[];
}

/**
 * A page is full with this many articles, or bytes of them: its documents then hold the bodies whole. No more articles
 * than the feed holds: fewer wait for a page, so the feed has those that were news when they came.
 */
const MAX_ARTICLES = 50;
const MAX_BYTES = 1_000_000;

/** The order in which members come to pages. */
export function byRecording(a: Member, b: Member): number {
  return a.recordedAt - b.recordedAt || (a.id < b.id ? -1 : 1);
}

/**
 * The pages that are full, or whose month is over at `now`.
 * @param members by recording
 * @param zone IANA
 */
export function planPages(members: readonly Member[], zone: string, now: number): PlannedPage[] {
  const pages: PlannedPage[] = [];
  let month = { id: '', from: 0, until: 0 };
  let page: Member[] = [];
  let bytes = 0;
  const close = (): void => {
    if (page.length > 0) pages.push({ month: month.id, members: page });
    page = [];
    bytes = 0;
  };
  for (const member of members) {
    const isInMonth = member.recordedAt >= month.from && member.recordedAt < month.until;
    const isFull = page.length === MAX_ARTICLES || (page.length > 0 && bytes + member.bytes > MAX_BYTES);
    if (isFull || !isInMonth) close();
    if (!isInMonth) month = monthAt(member.recordedAt, zone);
    page.push(member);
    bytes += member.bytes;
  }
  const isFull = page.length === MAX_ARTICLES || bytes >= MAX_BYTES;
  if (isFull || month.until <= now) close();
  return pages;
}

/** The month of an instant: from its start until the start of the next one, epoch milliseconds. */
function monthAt(instant: number, zone: string): { id: string; from: number; until: number } {
  const month = wallClock(instant, zone).toPlainDate().toPlainYearMonth();
  const startOf = (one: typeof month): number => one.toPlainDate({ day: 1 }).toZonedDateTime(zone).epochMilliseconds;
  return { id: month.toString(), from: startOf(month), until: startOf(month.add({ months: 1 })) };
}
