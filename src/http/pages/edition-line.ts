/**
 * A past edition as lists show it.
 */
import type { EditionSummary } from '../../editions/queries.ts';
import type { WebContext } from '../server/web-context.ts';

export interface EditionLine {
  /** Of its archive page on this site. */
  path: string;
  headline: string;
  number: number;
  /** Its day and time, epoch milliseconds. */
  at: number;
  /** The newsletter's title. */
  newsletter: string;
}

/** The line of one edition. */
export function editionLine(edition: EditionSummary, web: WebContext): EditionLine {
  const { newsletter, slot, headline, number, slotAt } = edition;
  const title = web.view.newsletters.find(({ id }) => id === newsletter)?.title ?? newsletter;
  return { path: `${web.base}/editions/${newsletter}/${slot}`, headline, number, at: slotAt, newsletter: title };
}
