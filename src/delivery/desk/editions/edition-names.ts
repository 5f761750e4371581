/** Editions in addresses of the desk and in words. Pure, except for the look-up. */
import type { EditionDeliveryState } from '../../../core/store/tables/edition-tables.ts';
import { TOO_FEW } from '../../../editions/copies/copy.ts';
import { type Edition, type EditionSummary, findEdition } from '../../../editions/queries.ts';
import { formatCount } from '../../../lib/text/count.ts';
import type { DeskContext, DeskRequest } from '../../../web/desk/desk-request.ts';
import type { Html } from '../../../web/desk/html.ts';
import { type StatusKind, statusMark } from '../../../web/desk/parts/status-mark.ts';
import type { DeliveryStateCounts } from '../../queue/queries.ts';

/** An edition in words: the subject that was mailed. */
export function mailedName({ subject, headline }: Pick<EditionSummary, 'subject' | 'headline'>): string {
  return subject === '' ? headline : subject;
}

type NamedEditionOf = Pick<EditionSummary, 'newsletter' | 'slot' | 'revision' | 'supersededBy'>;

/** The path of the page of an edition, below the desk's path. */
export function editionDeskPath({ newsletter, slot, revision, supersededBy }: NamedEditionOf): string {
  const path = `/editions/${encodeURIComponent(newsletter)}/${encodeURIComponent(slot)}`;
  return supersededBy === null ? path : `${path}?revision=${revision}`;
}

/** The newsletter's title, or its id if it is no longer configured. */
export function newsletterTitle({ app }: DeskContext, id: string): string {
  return app.config.newsletters.find((one) => one.id === id)?.title ?? id;
}

/** The edition that a request's path names; null if there is none. `?revision=` names an older revision. */
export async function requestedEdition({ c, desk }: DeskRequest): Promise<Edition | null> {
  const { newsletter, slot } = c.req.param() as { newsletter: string; slot: string };
  const revision = c.req.query('revision');
  if (revision !== undefined && !/^[1-9]\d{0,5}$/.test(revision)) return null;
  // PostgreSQL refuses this character, and no name has it.
  if (`${newsletter}${slot}`.includes('\u0000')) return null;
  return findEdition(desk.app.store.db, newsletter, slot, revision === undefined ? undefined : Number(revision));
}

/** `7 of 7 accepted by mail servers, none failed`. */
export function outcomeText(counts: DeliveryStateCounts): string {
  const { pending, submitting, submitted, failed, suppressed, [TOO_FEW]: few = 0 } = counts;
  const all = pending + submitting + submitted + failed;
  const notSent = suppressed === 0 ? '' : `, ${formatCount(suppressed)} not sent`;
  const rest = few === 0 ? notSent : `${notSent}, ${formatCount(few)} with ${TOO_FEW}`;
  if (all === 0) return `for nobody${rest}`;
  const failures = failed === 0 ? 'none' : formatCount(failed);
  return `${formatCount(submitted)} of ${formatCount(all)} accepted by mail servers, ${failures} failed${rest}`;
}

const STATES: Record<EditionDeliveryState, [kind: StatusKind, word: string]> = {
  delivering: ['busy', 'delivering'],
  paused: ['waiting', 'paused'],
  cancelled: ['off', 'cancelled'],
  done: ['good', 'done'],
};

export function deliveryStateMark(state: EditionDeliveryState): Html {
  return statusMark(...STATES[state]);
}
