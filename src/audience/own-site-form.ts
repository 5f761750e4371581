/** The form to subscribe that a newsroom copies into the pages of its own site. */
import type { AppContext } from '../core/app-context.ts';
import { siteView } from '../core/config/site-view.ts';
import { textDirection } from '../lib/locale/direction.ts';
import { consentTextOf } from './consent/consent-text.ts';

/** HTML, with the script at its end, in the publication's language. @param ids of newsletters; default: all */
export async function renderOwnSiteForm(
  { config, templates }: Pick<AppContext, 'config' | 'templates'>,
  ids?: readonly string[],
): Promise<string> {
  const site = siteView(config);
  const newsletters = site.newsletters.filter(({ id }) => ids?.includes(id) ?? true);
  const data = { site, dir: textDirection(site.language), newsletters, consent: consentTextOf(config) };
  return (await templates.html('pages/own-site-form.liquid', data, site.language)).trimEnd();
}
