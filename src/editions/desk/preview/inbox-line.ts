/**
 * How an inbox shows an edition before it is opened. Pure. Programs differ: these are usual limits, and no promise.
 */
import { graphemeCount, shorten } from '../../../lib/text/shorten.ts';

interface InboxLine {
  place: 'phone' | 'desktop';
  subject: string;
  preheader: string;
}

/** Graphemes of the subject that phones show, as in the check of the subject. */
export const PHONE_SUBJECT = 60;
/** Graphemes of the preheader that phones show, in two lines. */
export const PHONE_PREHEADER = 90;
/** Of subject and preheader together, in one line of a wide window. */
const DESKTOP_LINE = 120;

/** The lines of an inbox on a phone, 375 px wide, and in a wide window. */
export function inboxLines({ subject, preheader }: Pick<InboxLine, 'subject' | 'preheader'>): InboxLine[] {
  const shown = shorten(subject, DESKTOP_LINE);
  return [
    { place: 'phone', subject: shorten(subject, PHONE_SUBJECT), preheader: shorten(preheader, PHONE_PREHEADER) },
    { place: 'desktop', subject: shown, preheader: shorten(preheader, DESKTOP_LINE - graphemeCount(shown)) },
  ];
}

/** `47 characters; phones show about 60`. */
export function countLine(text: string, limit: number): string {
  const count = graphemeCount(text);
  return `${count} ${count === 1 ? 'character' : 'characters'}; phones show about ${limit}`;
}
