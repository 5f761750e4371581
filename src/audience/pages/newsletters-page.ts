/** The newsletters: what each is, when it is delivered, how to subscribe, and its past editions. */
import type { Handler } from 'hono';
import { editionLine } from '../../editions/edition-line.ts';
import { listEditions } from '../../editions/queries.ts';
import { mailto } from '../../lib/address.ts';
import { renderPage, respondPublicPage } from '../../web/pages/page.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { emptySubscribeForm, isSignupOpen, newsletterChoices, type SubscribeView } from './subscribe-form.ts';

const EDITIONS = 5;

/** `/newsletters`. */
export function serveNewsletters(web: WebContext): Handler {
  return async (c) => {
    const form = isSignupOpen(web) ? await emptySubscribeForm(web) : null;
    return respondPublicPage(c, await renderNewsletters(web, form));
  };
}

/** @param form null if signup is closed */
export async function renderNewsletters(
  web: WebContext,
  form: SubscribeView | null,
  hasErrors = false,
): Promise<string> {
  const { config, locale } = web;
  const { name, contact } = config.publication;
  const subjectFor = (newsletter: string): string => locale.text('signup.mailSubject', { newsletter });
  const newsletters = await Promise.all(
    newsletterChoices(web, []).map(async (choice) => ({
      ...choice,
      editions: (await listEditions(web.store.db, choice.id, EDITIONS)).map((edition) => editionLine(edition, web)),
      subscribe: `${mailto(contact.email)}?subject=${encodeURIComponent(subjectFor(choice.title))}`,
    })),
  );
  const head = {
    title: locale.text(hasErrors ? 'signup.errorTitle' : 'common.newsletters'),
    description: locale.text('signup.description', { publication: name }),
    path: hasErrors ? null : '/newsletters',
  };
  return renderPage(web, 'newsletters', head, { newsletters, form });
}
