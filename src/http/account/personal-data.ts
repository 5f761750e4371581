/**
 * What a reader may ask of what is stored about him or her: all of it, or none of it.
 */
import type { Context } from 'hono';
import { localDate } from '../../lib/time.ts';
import { eraseSubscriber } from '../../subscribers/erasure.ts';
import { exportSubscriberData, recordExport } from '../../subscribers/export-data.ts';
import type { Preferences } from '../../subscribers/preferences.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import type { Answers } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { answerErased, withReader } from './subscriber-by-token.ts';

/** Answers POST of `/preferences/:token/data` with a file. */
export function answerDataDownload(web: WebContext): Answers {
  return {
    post: withReader(web, async (c, { subscriberId }) => {
      const { db } = web.store;
      const source = clientAddress(c, web.config.server.trustedProxies);
      await recordExport(db, subscriberId, { channel: 'preferences', source }, web.clock());
      const data = await exportSubscriberData(db, subscriberId);
      if (data === null) return answerErased(web, c, 410);
      const name = `my-data-${localDate(web.clock(), web.view.zone)}.json`;
      return c.body(`${JSON.stringify(data, null, 2)}\n`, 200, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Disposition': `attachment; filename="${name}"`,
      });
    }),
  };
}

/** Answers `/preferences/:token/erase`: GET asks once more, POST erases. */
export function answerErasure(web: WebContext): Answers {
  return {
    get: withReader(web, (c, reader) => ask(web, c, reader)),
    post: withReader(web, async (c, { subscriberId }) => {
      await eraseSubscriber(web.store.db, web.secrets, subscriberId, web.clock());
      return answerErased(web, c, 200);
    }),
  };
}

async function ask(web: WebContext, c: Context, { email }: Preferences): Promise<Response> {
  const title = 'Erase what is stored about you?';
  const head = { title, description: title, path: null };
  const data = { title, kind: 'asked', email, token: c.req.param('token') };
  return c.html(await renderPage(web, 'erase', head, data));
}
