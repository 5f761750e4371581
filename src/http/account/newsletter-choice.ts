/**
 * A newsletter as a form offers it.
 */
import { scheduleZone } from '../../config/config.ts';
import { deliveryWords } from '../pages/schedule-words.ts';
import type { WebContext } from '../server/web-context.ts';

export interface NewsletterChoice {
  id: string;
  title: string;
  description: string;
  /** When it goes out, in words. */
  schedule: string;
  checked: boolean;
}

/** All newsletters, those of `chosen` checked. */
export function newsletterChoices(web: WebContext, chosen: readonly string[]): NewsletterChoice[] {
  const { newsletters, publication } = web.config;
  return newsletters.map(({ id, title, description, schedule, deliverAt }) => ({
    id,
    title,
    description,
    schedule: deliveryWords(schedule.cron, scheduleZone(schedule, publication), deliverAt),
    checked: chosen.includes(id),
  }));
}

/** The ids of a form's field `newsletter` that are newsletters. */
export function chosenNewsletters(web: WebContext, fields: URLSearchParams): string[] {
  const chosen = new Set(fields.getAll('newsletter'));
  return web.config.newsletters.map(({ id }) => id).filter((id) => chosen.has(id));
}
