import type { Context } from 'hono';
import type { FeedConfig } from '../core/config/config.ts';
import { type Format, feedPath } from '../feeds/formats/feed-view.ts';
import { share } from '../web/pages/public-page.ts';
import type { AddRoutes } from '../web/server/web-context.ts';
import { serveArchive, serveArchiveMonth } from './archive-pages.ts';
import { serveLegalPage } from './legal-page.ts';
import { serveReporter } from './reporter-page.ts';
import { serveSearch } from './search-page.ts';
import { serveSection } from './section-page.ts';
import { serveNewsSitemap, serveSitemap, serveSitemapIndex } from './sitemaps.ts';

/** The front page is added apart: its path ends with a slash. */
export const addFrontPages: AddRoutes = (site, web) => {
  site.get('/sections/:id', share(web, serveSection(web)));
  site.get('/reporters/:slug', share(web, serveReporter(web)));
  site.get('/archive', share(web, serveArchive(web)));
  site.get('/archive/:month', share(web, serveArchiveMonth(web)));
  const texts = ['imprint', 'imprint/:newsletter', 'privacy', ...Object.keys(web.config.publication.pages)];
  for (const text of texts) site.get(`/${text}`, share(web, serveLegalPage(web)));
  // With the query in the key, each invented query would build the sitemap again.
  const byPath = (c: Context): string => c.req.path;
  site.get('/sitemap.xml', share(web, serveSitemapIndex(web), byPath));
  site.get('/:name{sitemap-[0-9a-z-]+\\.xml}', share(web, serveSitemap(web), byPath));
  site.get('/news-sitemap.xml', share(web, serveNewsSitemap(web), byPath));
  // Usual addresses of feeds: those of WordPress, Ghost and site generators.
  const lead = (path: string, format: Format): void => {
    const target = `${web.base}/feeds/${feedPath(web.config.feeds[0] as FeedConfig, format)}`;
    site.get(path, (c) => c.redirect(target, 308));
  };
  for (const path of ['/feed', '/feed/', '/rss', '/rss/', '/rss.xml', '/index.xml']) lead(path, 'rss');
  lead('/atom.xml', 'atom');
  lead('/feed.json', 'json');
  site.get('/search', serveSearch(web));
};
