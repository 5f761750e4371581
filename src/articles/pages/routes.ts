import { share } from '../../web/pages/public-page.ts';
import type { AddRoutes } from '../../web/server/web-context.ts';
import { serveArticle } from './article-page.ts';
import { serveMedia, serveRendition } from './media.ts';

export const addArticlePages: AddRoutes = (site, web) => {
  site.get('/articles/:slug', share(web, serveArticle(web)));
  site.get('/media/r/:form/*', serveRendition(web));
  site.get('/media/*', serveMedia(web));
};
