import { share } from '../../web/pages/public-page.ts';
import { refuseForeignForms } from '../../web/server/form-origin.ts';
import { privatePageHeaders } from '../../web/server/headers.ts';
import { limitForm } from '../../web/server/request-body.ts';
import type { AddRoutes } from '../../web/server/web-context.ts';
import {
  handleActLinkRequest,
  handleErasure,
  handleExport,
  handlePreferencesLinkRequest,
  handleRevocation,
  serveActPage,
} from './account-pages.ts';
import { handleConfirm, serveConfirmPage } from './confirm-page.ts';
import { serveNewsletters } from './newsletters-page.ts';
import { handleOwnFeed, handlePreferences, redirectToPreferences, servePreferences } from './preferences-page.ts';
import { allowListedOrigins, handleApiSubscribe, serveSubscribeScript } from './subscribe-api.ts';
import { handleSubscribe, redirectToForm } from './subscribe-page.ts';
import { handleUnsubscribe, limitUnsubscribe, serveUnsubscribePage } from './unsubscribe-page.ts';

/** In the pages about one subscription, the token in the link is the permission to use them. */
export const addAudiencePages: AddRoutes = (site, web) => {
  site.get('/newsletters', share(web, serveNewsletters(web)));
  // Pages about a subscription have no referrer. A page of another site would need the token.
  const ownForms = refuseForeignForms(web, { acceptsNull: true });
  for (const folder of ['account', 'confirm', 'preferences']) site.use(`/${folder}/*`, privatePageHeaders, ownForms);
  site.use('/unsubscribe/*', privatePageHeaders);
  site.get('/subscribe', redirectToForm(web));
  site.post('/subscribe', refuseForeignForms(web, { acceptsNull: false }), limitForm(web), handleSubscribe(web));
  site.post('/api/subscribe', allowListedOrigins(web), limitForm(web), handleApiSubscribe(web));
  site.get('/subscribe.js', serveSubscribeScript());
  site.get('/confirm/:token', serveConfirmPage(web)).post(limitForm(web), handleConfirm(web));
  site.get('/unsubscribe/:token', serveUnsubscribePage(web)).post(limitUnsubscribe(web), handleUnsubscribe(web));
  site.get('/preferences/:token', servePreferences(web)).post(limitForm(web), handlePreferences(web));
  const toPreferences = redirectToPreferences(web);
  site.get('/preferences/:token/feed', toPreferences).post(limitForm(web), handleOwnFeed(web));
  site.get('/preferences/:token/link', toPreferences).post(handlePreferencesLinkRequest(web));
  site.get('/preferences/:token/export', toPreferences).post(handleActLinkRequest(web, 'export'));
  site.get('/preferences/:token/erase', toPreferences).post(handleActLinkRequest(web, 'erase'));
  site.get('/preferences/:token/revoke', toPreferences).post(handleRevocation(web));
  site.get('/account/export/:token', serveActPage(web, 'export')).post(handleExport(web));
  site.get('/account/erase/:token', serveActPage(web, 'erase')).post(handleErasure(web));
};
