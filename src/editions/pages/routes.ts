import { share } from '../../web/pages/public-page.ts';
import type { AddRoutes } from '../../web/server/web-context.ts';
import { countVisits, serveEdition, serveEditions } from './edition-pages.ts';

export const addEditionPages: AddRoutes = (site, web) => {
  site.get('/editions', share(web, serveEditions(web)));
  site.get('/editions/:newsletter', share(web, serveEditions(web)));
  site.get('/editions/:newsletter/:slot', countVisits(web), share(web, serveEdition(web)));
};
