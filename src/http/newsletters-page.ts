/**
 * The newsletters that there are: what each holds, when it goes out, its past editions, how to get it.
 */
import { scheduleZone } from '../config.ts';
import { listEditions } from '../editions/queries.ts';
import { editionLine } from './edition-line.ts';
import { answerPage, renderPage } from './page.ts';
import type { Answer } from './routes.ts';
import { scheduleWords } from './schedule-words.ts';
import type { Site } from './site.ts';
import { mailto } from './story-view.ts';

const EDITIONS = 5;

/** Answers `/newsletters`. */
export function answerNewsletters(site: Site): Answer {
  return async (c) => {
    const { publication } = site.config;
    const newsletters = await Promise.all(
      site.config.newsletters.map(async ({ id, title, description, schedule }) => ({
        id,
        title,
        description,
        schedule: scheduleWords(schedule.cron, scheduleZone(schedule, publication)),
        editions: (await listEditions(site.store.db, id, EDITIONS)).map((edition) => editionLine(edition, site)),
        subscribe: `${mailto(publication.contact.email)}?subject=${encodeURIComponent(`Subscribe: ${title}`)}`,
      })),
    );
    const head = {
      title: 'Newsletters',
      description: `What ${publication.name} sends by email, and when.`,
      path: '/newsletters',
    };
    return answerPage(c, await renderPage(site, 'newsletters', head, { newsletters }));
  };
}
