import type { AddRoutes } from '../../web/server/web-context.ts';
import { serveFeedDocument, serveFeedPreflight } from './feed-documents.ts';

export const addFeedPages: AddRoutes = (site, web) => {
  site.get('/feeds', (c) => c.redirect(`${web.base}/feeds/`, 301));
  site.get('/feeds/*', serveFeedDocument(web));
  site.options('/feeds/*', serveFeedPreflight);
};
