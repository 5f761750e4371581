/**
 * Export and erasure of a subscriber's data.
 */
import type { Handler } from 'hono';
import { localDate } from '../../lib/time.ts';
import { eraseSubscriber } from '../../subscribers/erasure.ts';
import { exportSubscriberData, recordExport } from '../../subscribers/export-data.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import type { WebContext } from '../server/web-context.ts';
import { respondErased, withSubscriber } from './subscriber-by-token.ts';

/** POST of `/preferences/:token/data`: a JSON file. */
export function handleDataDownload(web: WebContext): Handler {
  return withSubscriber(web, async (c, { subscriberId }) => {
    const { db } = web.store;
    const now = web.clock();
    await recordExport(db, subscriberId, { channel: 'preferences', source: clientAddress(web, c) }, now);
    const data = await exportSubscriberData(db, subscriberId);
    if (data === null) return respondErased(web, c, 410);
    return c.body(`${JSON.stringify(data, null, 2)}\n`, 200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Disposition': `attachment; filename="my-data-${localDate(now, web.view.zone)}.json"`,
    });
  });
}

/** GET of `/preferences/:token/erase`: asks for confirmation. */
export function serveErasePage(web: WebContext): Handler {
  return withSubscriber(web, async (c, { email }) => {
    const title = 'Delete your data?';
    const data = { title, kind: 'asked', email, token: c.req.param('token') };
    return c.html(await renderPage(web, 'erase', { title, description: title, path: null }, data));
  });
}

/** POST of `/preferences/:token/erase`. */
export function handleErasure(web: WebContext): Handler {
  return withSubscriber(web, async (c, { subscriberId }) => {
    await eraseSubscriber(web.store.db, web.secrets, subscriberId, web.clock());
    return respondErased(web, c, 200);
  });
}
