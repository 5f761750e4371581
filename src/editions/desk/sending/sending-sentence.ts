/** The sentence before an edition goes out: to how many, and when. Pure. */
import { count, formatCount } from '../../../lib/text/count.ts';
import { formatDuration } from '../../../lib/time.ts';
import { whenText } from '../../../web/desk/parts/when.ts';

export interface SendingTerms {
  /** Confirmed subscriptions to the newsletter, and those whose copy has enough stories. */
  reach: { confirmed: number; mailed: number };
  /** IANA name of the publication's zone. */
  zone: string;
  /** Time of day at which copies are due in the subscribers' own zones, such as `07:30`; undefined: at once. */
  deliverAt?: string | undefined;
}

/** `to 1,204 subscribers, today 07:30 Asia/Shanghai`. @param at when the edition closes; not after `now`: at once */
export function slotSentence(terms: SendingTerms, at: number, now: number): string {
  const when = at <= now ? 'at once' : `${whenText(at, now, terms.zone)} ${terms.zone}`;
  return `to ${recipients(terms.reach)}, ${when}${localTime(terms)}`;
}

/** `to 1,204 subscribers, in 1 min`. @param after when it closes, in milliseconds from now */
export function sendingSentence(terms: SendingTerms, after: number): string {
  const when = after === 0 ? 'now' : `in ${formatDuration(after)}`;
  return `to ${recipients(terms.reach)}, ${when}${localTime(terms)}`;
}

function recipients({ confirmed, mailed }: SendingTerms['reach']): string {
  const all = count(confirmed, 'subscriber');
  return mailed === confirmed ? all : `${formatCount(mailed)} of ${all}`;
}

function localTime({ deliverAt }: SendingTerms): string {
  return deliverAt === undefined ? '' : `; delivered at ${deliverAt} in each subscriber’s time zone`;
}

/** What the count includes. */
export const RECIPIENTS_MEANING =
  'The count is of confirmed subscriptions now. Suppressed and paused ones among them are left out at delivery.';
