import type { SiteView } from '../core/config/site-view.ts';
import type { EditionSummary } from './queries.ts';

/** A past edition as lists show it. */
export interface EditionLine {
  /** Path of its page on this site. */
  path: string;
  headline: string;
  /** BCP 47, of the headline and the newsletter's title. */
  language: string;
  number: number;
  /** Its slot, epoch milliseconds. */
  at: number;
  /** The newsletter's title. */
  newsletter: string;
}

export function editionLine(edition: EditionSummary, { view, base }: { view: SiteView; base: string }): EditionLine {
  const { newsletter, slot, headline, number, slotAt } = edition;
  const { title = newsletter, language = view.language } = view.newsletters.find(({ id }) => id === newsletter) ?? {};
  return { path: `${base}/editions/${newsletter}/${slot}`, headline, language, number, at: slotAt, newsletter: title };
}
