/**
 * The newsletters that there are: what each holds, when it goes out, how to get it, its past editions.
 */
import { listEditions } from '../../editions/queries.ts';
import { newsletterChoices } from '../account/newsletter-choice.ts';
import { emptySubscribeForm, isSubscribingOpen, type SubscribeView } from '../account/subscribe-form.ts';
import type { Answer } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
import { editionLine } from './edition-line.ts';
import { answerPage, renderPage } from './page.ts';
import { mailto } from './story-view.ts';

const EDITIONS = 5;

/** Answers `/newsletters`. */
export function answerNewsletters(site: Site): Answer {
  return async (c) =>
    answerPage(c, await renderNewsletters(site, isSubscribingOpen(site) ? await emptySubscribeForm(site) : null));
}

/**
 * The page, with the form in whatever state.
 * @param form null where subscribing is closed
 * @param isWrong whether something in the form must be mended
 */
export async function renderNewsletters(site: Site, form: SubscribeView | null, isWrong = false): Promise<string> {
  const { publication } = site.config;
  const newsletters = await Promise.all(
    newsletterChoices(site, []).map(async ({ id, title, description, schedule }) => ({
      id,
      title,
      description,
      schedule,
      editions: (await listEditions(site.store.db, id, EDITIONS)).map((edition) => editionLine(edition, site)),
      subscribe: `${mailto(publication.contact.email)}?subject=${encodeURIComponent(`Subscribe: ${title}`)}`,
    })),
  );
  const head = {
    title: isWrong ? 'Error: Newsletters' : 'Newsletters',
    description: `What ${publication.name} sends by email, and when.`,
    path: isWrong ? null : '/newsletters',
  };
  return renderPage(site, 'newsletters', head, { newsletters, form });
}
