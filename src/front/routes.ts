import type { FeedConfig } from '../core/config/config.ts';
import { FORMATS, type Format, feedPath } from '../feeds/formats/feed-view.ts';
import { share } from '../web/pages/public-page.ts';
import type { AddRoutes } from '../web/server/web-context.ts';
import { serveArchive, serveArchiveMonth } from './archive-pages.ts';
import { serveLegalPage } from './legal-page.ts';
import { serveSection } from './section-page.ts';
import { serveNewsSitemap, serveSitemap, serveSitemapIndex } from './sitemaps.ts';

/** Addresses at which readers and people look for a feed, such as those of WordPress and Ghost, by its format. */
const FEED_ADDRESSES: Record<Format, string[]> = {
  rss: ['/feed', '/feed/', '/rss', '/rss/', '/rss.xml', '/index.xml'],
  atom: ['/atom.xml'],
  json: ['/feed.json'],
};

/** The front page is added apart: its path ends with a slash. */
export const addFrontPages: AddRoutes = (site, web) => {
  site.get('/sections/:id', share(web, serveSection(web)));
  site.get('/archive', share(web, serveArchive(web)));
  site.get('/archive/:month', share(web, serveArchiveMonth(web)));
  for (const path of ['/imprint', '/imprint/:newsletter', '/privacy']) site.get(path, share(web, serveLegalPage(web)));
  site.get('/sitemap.xml', share(web, serveSitemapIndex(web)));
  site.get('/sitemaps/:name', share(web, serveSitemap(web)));
  site.get('/news-sitemap.xml', share(web, serveNewsSitemap(web)));
  // The configuration has at least one.
  const [feed] = web.config.feeds as [FeedConfig];
  for (const format of FORMATS) {
    const target = `${web.base}/feeds/${feedPath(feed, format)}`;
    for (const path of FEED_ADDRESSES[format]) site.get(path, (c) => c.redirect(target, 308));
  }
};
