import { share } from '../web/pages/public-page.ts';
import type { AddRoutes } from '../web/server/web-context.ts';
import { serveArchive, serveArchiveMonth } from './archive-pages.ts';
import { serveLegalPage } from './legal-page.ts';
import { serveSearch } from './search-page.ts';
import { serveSection } from './section-page.ts';

/** The front page is added apart: its path ends with a slash. */
export const addFrontPages: AddRoutes = (site, web) => {
  site.get('/sections/:id', share(web, serveSection(web)));
  site.get('/archive', share(web, serveArchive(web)));
  site.get('/archive/:month', share(web, serveArchiveMonth(web)));
  site.get('/search', serveSearch(web));
  for (const path of ['/imprint', '/imprint/:newsletter', '/privacy']) site.get(path, share(web, serveLegalPage(web)));
};
