/**
 * What a reader may ask of what is stored about him or her: all of it, or none of it.
 */
import type { Context } from 'hono';
import { localDate } from '../../lib/time.ts';
import { eraseSubscriber } from '../../subscribers/erasure.ts';
import { exportSubscriberData, noteExport } from '../../subscribers/export-data.ts';
import type { Preferences } from '../../subscribers/preferences.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import type { Answers } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
import { answerErased, withReader } from './reader.ts';

/** Answers POST of `/preferences/:token/data` with a file. */
export function answerDataDownload(site: Site): Answers {
  return {
    post: withReader(site, async (c, { subscriberId }) => {
      const { db } = site.store;
      const source = clientAddress(c, site.config.server.trustedProxies);
      await noteExport(db, subscriberId, { channel: 'preferences', source }, site.clock());
      const data = await exportSubscriberData(db, subscriberId);
      if (data === null) return answerErased(site, c, 410);
      const name = `my-data-${localDate(site.clock(), site.view.zone)}.json`;
      return c.body(`${JSON.stringify(data, null, 2)}\n`, 200, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Disposition': `attachment; filename="${name}"`,
      });
    }),
  };
}

/** Answers `/preferences/:token/erase`: GET asks once more, POST erases. */
export function answerErasure(site: Site): Answers {
  return {
    get: withReader(site, (c, reader) => ask(site, c, reader)),
    post: withReader(site, async (c, { subscriberId }) => {
      await eraseSubscriber(site.store.db, site.secrets, subscriberId, site.clock());
      return answerErased(site, c, 200);
    }),
  };
}

async function ask(site: Site, c: Context, { email }: Preferences): Promise<Response> {
  const title = 'Erase what is stored about you?';
  const head = { title, description: title, path: null };
  const data = { title, kind: 'asked', email, token: c.req.param('token') };
  return c.html(await renderPage(site, 'erase', head, data));
}
