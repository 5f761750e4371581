/**
 * The page of a closed edition as it was frozen, for the frame in which the desk shows it: it runs no script, and loads
 * nothing but pictures of this site.
 */
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondMissing } from '../../../web/desk/page.ts';
import { requestedEdition } from './edition-names.ts';

/** GET `/editions/:newsletter/:slot/frozen`. */
export async function serveFrozenPage(request: SignedInRequest): Promise<Response> {
  const edition = await requestedEdition(request);
  if (edition === null) return respondMissing(request, 'There is no such edition.');
  const { origin } = new URL(request.desk.app.config.publication.url);
  return request.c.html(edition.archiveHtml, 200, {
    'Content-Security-Policy':
      `sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' ${origin}; ` +
      `base-uri 'none'; form-action 'none'; frame-ancestors 'self'`,
  });
}
