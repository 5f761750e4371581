/** The webhook by which a mail provider's adapter reports bounces. */
import type { Handler } from 'hono';
import { limitBytes } from '../../web/server/request-body.ts';
import type { AddRoutes, WebContext } from '../../web/server/web-context.ts';
import { recordBounceReports, verifyBounceWebhook } from '../bounces/webhook.ts';

/** Enough for a thousand reports with the replies of the mail servers. */
const MAX_BYTES = 2 * 1024 * 1024;
const NO_STORE = { 'Cache-Control': 'no-store' };

export const addBounceWebhook: AddRoutes = (site, web) => {
  const { webhookSecret } = web.config.secrets;
  if (webhookSecret !== undefined)
    site.post('/webhooks/bounces', limitBytes(MAX_BYTES), handleBounceWebhook(web, webhookSecret));
};

/**
 * 204 when the reports are recorded, 401 if the signature is wrong, 400 if the signed body is invalid.
 * @param secret DAYWIRE_WEBHOOK_SECRET
 */
function handleBounceWebhook(web: WebContext, secret: string): Handler {
  return async (c) => {
    const now = web.clock();
    const body = new Uint8Array(await c.req.arrayBuffer());
    const verified = verifyBounceWebhook(c.req.raw.headers, body, secret, now);
    if (verified.kind === 'unsigned') return c.text(`${verified.reason}\n`, 401, NO_STORE);
    if (verified.kind === 'malformed') return c.text(`${verified.reason}\n`, 400, NO_STORE);
    const counts = await recordBounceReports(web.store, web.config, web.secrets, verified.reports, now);
    web.log?.info({ ...counts }, 'bounces reported');
    return c.body(null, 204, NO_STORE);
  };
}
