/** The public stories of a reporter, newest first. */
import type { Handler } from 'hono';
import { reporterPath } from '../articles/article-link.ts';
import { contactLine } from '../articles/contact-line.ts';
import { findFacetNames, reporterFacets } from '../articles/facets/facets.ts';
import { findPublicArticles } from '../articles/queries.ts';
import { facetTitle, singleFeed } from '../feeds/feed-links.ts';
import { facetSlug } from '../lib/text/facet-slug.ts';
import {
  listPage,
  nameParameter,
  parsePageNumber,
  renderPage,
  respondPublicPage,
  titleOnPage,
} from '../web/pages/page.ts';
import { breadcrumbData } from '../web/pages/structured-data.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';
import { listStories } from './list-stories.ts';

const STORIES_PER_PAGE = 30;
const LAST_PAGE = 100;

/** `/reporters/:slug`, which names in different spellings may share. It exists as long as a story of them is public. */
export function serveReporter(web: WebContext): Handler {
  const { db } = web.store;
  return async (c) => {
    const slug = nameParameter(c, 'slug');
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (slug === null || facetSlug(slug) !== slug || number === null) return respondNotFound(web, c);
    const now = web.clock();
    const select = { reporters: [slug] };
    const query = { select, limit: STORIES_PER_PAGE, offset: (number - 1) * STORIES_PER_PAGE };
    const [found, names, [newest]] = await Promise.all([
      listStories(web, now, 'sectionLine', query),
      findFacetNames(db, 'reporter', slug, now),
      findPublicArticles(db, { select, now, limit: 1 }),
    ]);
    if (found.entries.length === 0 || newest === undefined) return respondNotFound(web, c);
    const path = reporterPath(slug);
    const list = listPage(path, number, LAST_PAGE, found);
    const name = facetTitle(names);
    const title = titleOnPage(web, name, number);
    const description = web.locale.text('reporter.description', { name, site: web.view.name });
    const feed = singleFeed('reporter', slug, names);
    const profile = { '@type': 'ProfilePage', mainEntity: { '@type': 'Person', name, url: web.view.url + path } };
    const data = [profile, breadcrumbData(web.view, [{ name, path }])];
    const head = { ...list, title, description, feeds: [feed], data };
    // As below the newest story, which may have no address.
    const own = newest.bylines.filter((byline) => reporterFacets({ bylines: [byline] })[0]?.slug === slug);
    const shown = { title, stories: list.entries, list, feed: feed.id, contact: contactLine(own, web.locale) };
    return respondPublicPage(c, await renderPage(web, 'reporter', head, shown));
  };
}
