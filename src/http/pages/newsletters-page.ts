/**
 * The newsletters that there are: what each holds, when it goes out, how to get it, its past editions.
 */
import { listEditions } from '../../editions/queries.ts';
import { newsletterChoices } from '../account/newsletter-choice.ts';
import { emptySubscribeForm, isSubscribingOpen, type SubscribeView } from '../account/subscribe-form.ts';
import type { RequestHandler } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { editionLine } from './edition-line.ts';
import { renderPage, respondPage } from './page.ts';
import { mailto } from './story-view.ts';

const EDITIONS = 5;

/** Answers `/newsletters`. */
export function serveNewsletters(web: WebContext): RequestHandler {
  return async (c) =>
    respondPage(c, await renderNewsletters(web, isSubscribingOpen(web) ? await emptySubscribeForm(web) : null));
}

/**
 * The page, with the form in whatever state.
 * @param form null where subscribing is closed
 * @param isWrong whether something in the form must be mended
 */
export async function renderNewsletters(web: WebContext, form: SubscribeView | null, isWrong = false): Promise<string> {
  const { publication } = web.config;
  const newsletters = await Promise.all(
    newsletterChoices(web, []).map(async ({ id, title, description, schedule }) => ({
      id,
      title,
      description,
      schedule,
      editions: (await listEditions(web.store.db, id, EDITIONS)).map((edition) => editionLine(edition, web)),
      subscribe: `${mailto(publication.contact.email)}?subject=${encodeURIComponent(`Subscribe: ${title}`)}`,
    })),
  );
  const head = {
    title: isWrong ? 'Error: Newsletters' : 'Newsletters',
    description: `What ${publication.name} sends by email, and when.`,
    path: isWrong ? null : '/newsletters',
  };
  return renderPage(web, 'newsletters', head, { newsletters, form });
}
