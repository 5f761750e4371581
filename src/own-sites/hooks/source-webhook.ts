/** The webhooks of sources: a CMS reports that something has changed. */
import type { Handler } from 'hono';
import { articleSources } from '../../core/config/sources.ts';
import { requestPoll } from '../../sources/source-state.ts';
import { limitBytes } from '../../web/server/request-body.ts';
import type { AddRoutes, WebContext } from '../../web/server/web-context.ts';
import { whyUnsigned } from '../webhook.ts';

/** Ghost sends the whole post, before and after. */
const MAX_BYTES = 2 * 1024 * 1024;
const NO_STORE = { 'Cache-Control': 'no-store' };

export const addSourceWebhook: AddRoutes = (site, web) => {
  if (articleSources(web.config).length === 0) return;
  site.post('/hooks/sources/:id', limitBytes(MAX_BYTES), handleSourceWebhook(web));
};

/** 204 when the source is due, 401 if the signature is wrong, 404 for an unknown one. */
function handleSourceWebhook(web: WebContext): Handler {
  return async (c) => {
    const sourceId = c.req.param('id') ?? '';
    if (!articleSources(web.config).some(({ id }) => id === sourceId))
      return c.text('There is no such source.\n', 404, NO_STORE);
    const now = web.clock();
    const body = new Uint8Array(await c.req.arrayBuffer());
    const reason = whyUnsigned(c.req.raw.headers, body, { secrets: web.secrets, sourceId, now });
    if (reason !== null) return c.text(`${reason}\n`, 401, NO_STORE);
    await requestPoll(web.store.db, sourceId, now);
    return c.body(null, 204, NO_STORE);
  };
}
