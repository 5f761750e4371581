/**
 * Export and erasure of a subscriber's data, by links that are mailed for them. GET shows a page with a button, since
 * link scanners open every link; POST acts.
 */
import type { Context, Handler } from 'hono';
import { inTransaction } from '../../core/store/store.ts';
import { maskedAddress } from '../../lib/address.ts';
import { localDate } from '../../lib/time.ts';
import { renderPage } from '../../web/pages/page.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { isActLinkOpen, useActLink } from '../account-links.ts';
import { eraseSubscriber } from '../erasure.ts';
import { exportSubscriberData, recordExport } from '../export-data.ts';
import { readPreferences } from '../preferences.ts';
import { type LinkAct, readMessageToken, type ServiceMessageKey } from '../tokens.ts';
import { respondAboutLinks, respondErased } from './subscriber-by-token.ts';

const TITLES: Record<LinkAct, string> = { export: 'Download your data', erase: 'Delete your data?' };

/** GET of `/account/export/:token` and `/account/erase/:token`. */
export function serveActPage(web: WebContext, act: LinkAct): Handler {
  return withActLink(web, act, async (c, { subscriberId }) => {
    const subscriber = await readPreferences(web.store.db, subscriberId);
    if (subscriber === null) return respondErased(web, c, 410);
    const title = TITLES[act];
    const data = { title, kind: 'asked', email: maskedAddress(subscriber.email) };
    return c.html(await renderPage(web, act, { title, description: title, path: null }, data));
  });
}

/** POST of `/account/export/:token`: a JSON file, once. */
export function handleExport(web: WebContext): Handler {
  return withActLink(web, 'export', async (c, key) => {
    const { db } = web.store;
    const { subscriberId } = key;
    const now = web.clock();
    const data = await inTransaction(db, async (tx) => {
      if (!(await useActLink(tx, 'export', key, now))) return null;
      await recordExport(tx, subscriberId, { channel: 'preferences', source: clientAddress(web, c) }, now);
      return exportSubscriberData(tx, subscriberId);
    });
    if (data === null) return respondActLinkOver(web, c);
    return c.body(`${JSON.stringify(data, null, 2)}\n`, 200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Disposition': `attachment; filename="my-data-${localDate(now, web.view.zone)}.json"`,
    });
  });
}

/** POST of `/account/erase/:token`. It erases its link as well. */
export function handleErasure(web: WebContext): Handler {
  return withActLink(web, 'erase', async (c, { subscriberId }) => {
    await eraseSubscriber(web.store.db, web.secrets, subscriberId, web.clock());
    return respondErased(web, c, 200);
  });
}

/** Responds with 404 to an invalid token, and with 410 to one that was used or has expired. */
function withActLink(
  web: WebContext,
  act: LinkAct,
  handle: (c: Context, key: ServiceMessageKey) => Promise<Response>,
): Handler {
  return async (c) => {
    const key = readMessageToken(web.secrets, act, c.req.param('token') ?? '');
    if (key === null) return respondNotFound(web, c);
    const { db } = web.store;
    if (await isActLinkOpen(db, act, key, web.clock())) return handle(c, key);
    const isErased = (await readPreferences(db, key.subscriberId)) === null;
    return isErased ? respondErased(web, c, 410) : respondActLinkOver(web, c);
  };
}

function respondActLinkOver(web: WebContext, c: Context): Promise<Response> {
  return respondAboutLinks(web, c, { kind: 'act-over', title: 'This link has expired or was used', status: 410 });
}
