/**
 * Where a mail provider's adapter tells what came back.
 */
import { recordBounceReports, verifyBounceWebhook } from '../../delivery/bounces/webhook.ts';
import { readBody } from '../server/request-body.ts';
import type { Answers } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';

/** A thousand reports, with the words of the servers. */
const LIMIT = 2 * 1024 * 1024;

/**
 * Answers POST of `/webhooks/bounces`: 204 where the reports are recorded, 401 where the signature is wrong, 400 where what is
 * signed is not understood, 413 where it is too long.
 * @param secret DAYWIRE_WEBHOOK_SECRET
 */
export function answerBounceWebhook(web: WebContext, secret: string): Answers {
  return {
    post: async (c) => {
      c.header('Cache-Control', 'no-store');
      const body = await readBody(c, LIMIT);
      if (body === null) return c.text(`At most ${LIMIT} bytes are taken at once.\n`, 413);
      const now = web.clock();
      const verdict = verifyBounceWebhook(c.req.raw.headers, body, secret, now);
      if (verdict.kind === 'unsigned') return c.text(`${verdict.reason}\n`, 401);
      if (verdict.kind === 'malformed') return c.text(`${verdict.reason}\n`, 400);
      const counts = await recordBounceReports(web.store, web.config, web.secrets, verdict.reports, now);
      web.log?.info({ ...counts }, 'bounces reported');
      return c.body(null, 204);
    },
  };
}
