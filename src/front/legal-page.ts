/** The pages of the newsroom's own texts, such as the imprint. A changed file is shown without a restart. */
import type { Context, Handler } from 'hono';
import { isElsewhere, legalPages } from '../core/config/legal-pages.ts';
import { renderPage, respondPublicPage } from '../web/pages/page.ts';
import { respondError, respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';
import { LegalDocumentError, readLegalDocument } from './legal-document.ts';

/** `/imprint`, `/imprint/:newsletter`, `/privacy`, and the pages of one's own. */
export function serveLegalPage(web: WebContext): Handler {
  return (c) => respondLegalPage(web, c, c.req.path.slice(web.base.length));
}

async function respondLegalPage(web: WebContext, c: Context, path: string): Promise<Response> {
  const page = legalPages(web.config).find((one) => one.path === path);
  if (page === undefined) return respondWithoutPage(web, c, path);
  if (isElsewhere(page)) return c.redirect(new URL(page.source).href, 302);
  try {
    const { title, html } = await readLegalDocument(page, web.config);
    const description = web.locale.text('front.legalDescription', { title, site: web.view.name });
    const head = { title, description, path };
    return respondPublicPage(c, await renderPage(web, 'legal', head, { title, html }));
  } catch (error) {
    if (!(error instanceof LegalDocumentError)) throw error;
    web.log?.warn({ problem: error.message }, 'legal text cannot be shown');
    const { name, postalAddress, contact } = web.view;
    const message = web.locale.text('error.unavailable.message', { name, email: contact.email, postalAddress });
    return respondError(web, c, 503, { title: web.locale.text('error.unavailable.title'), message });
  }
}

/** Emails link to the imprint of a newsletter for years, also when it no longer has one of its own. */
async function respondWithoutPage(web: WebContext, c: Context, path: string): Promise<Response> {
  const general = path.startsWith('/imprint/') ? web.view.imprint : null;
  return general === null ? respondNotFound(web, c) : c.redirect(general.url, 302);
}
