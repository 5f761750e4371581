/** Pages that a preferences link leads to. */
import type { Context, Handler } from 'hono';
import { inTransaction } from '../../core/store/store.ts';
import { maskedAddress } from '../../lib/address.ts';
import { localDate } from '../../lib/time.ts';
import { type PageHead, renderPage } from '../../web/pages/page.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { isActLinkOpen, requestLink, revokeLinksOf, useActLink } from '../account-links.ts';
import { eraseSubscriber } from '../erasure.ts';
import { exportSubscriberData, recordExport } from '../export-data.ts';
import { type Preferences, readPreferences } from '../preferences.ts';
import { type LinkAct, readMessageToken, readPreferencesToken, type ServiceMessageKey } from '../tokens.ts';

/**
 * Calls `handle` with the subscriber that the token in `:token` is for. Responds with 404 to an invalid token, and with
 * 410 to one that has expired or was revoked, or that of a deleted subscriber.
 */
export function withSubscriberByToken(
  web: WebContext,
  handle: (c: Context, subscriber: Preferences) => Promise<Response>,
): Handler {
  return async (c) => {
    const key = readPreferencesToken(web.secrets, c.req.param('token') ?? '');
    if (key === null) return respondNotFound(web, c);
    if (web.clock() >= key.expiresAt) return respondLinkOver(web, c);
    const subscriber = await readPreferences(web.store.db, key.subscriberId);
    if (subscriber === null) return respondErased(web, c, 410);
    return key.version === subscriber.tokenVersion ? handle(c, subscriber) : respondLinkOver(web, c);
  };
}

/** The page that offers to mail a new link. */
function respondLinkOver(web: WebContext, c: Context): Promise<Response> {
  return respondAboutLinks(web, c, { kind: 'over', title: 'preferences.links.overTitle', status: 410 });
}

/** A page about links. @param page.kind which texts `links.liquid` shows @param page.title name of a message */
async function respondAboutLinks(
  web: WebContext,
  c: Context,
  { kind, title, status }: { kind: string; title: string; status: 200 | 410 },
): Promise<Response> {
  const data = { title, kind, token: c.req.param('token') };
  return c.html(await renderPage(web, 'links', headOf(web, title), data), status);
}

/** @param title name of a message */
function headOf({ locale }: WebContext, title: string): PageHead {
  return { title: locale.text(title), description: locale.text(title), path: null };
}

/** The page that says that a subscriber's data has been deleted. */
async function respondErased(web: WebContext, c: Context, status: 200 | 410): Promise<Response> {
  const title = 'preferences.erased.title';
  return c.html(await renderPage(web, 'erase', headOf(web, title), { title, kind: 'erased', email: '' }), status);
}

/** POST of `/preferences/:token/link`. Also for a token that has expired or was revoked. */
export function handlePreferencesLinkRequest(web: WebContext): Handler {
  return async (c) => {
    const key = readPreferencesToken(web.secrets, c.req.param('token') ?? '');
    return key === null ? respondNotFound(web, c) : mailPreferencesLink(web, c, key.subscriberId);
  };
}

/** Mails the subscriber a link to the preferences. */
export async function mailPreferencesLink(web: WebContext, c: Context, subscriberId: number): Promise<Response> {
  await requestLink(web.store.db, web.secrets, subscriberId, 'preferences', web.clock());
  return respondSent(web, c, 'preferences');
}

/** POST of `/preferences/:token/export` and `/preferences/:token/erase`. */
export function handleActLinkRequest(web: WebContext, act: LinkAct): Handler {
  return withSubscriberByToken(web, async (c, { id: subscriberId }) => {
    await requestLink(web.store.db, web.secrets, subscriberId, act, web.clock());
    return respondSent(web, c, act);
  });
}

/** The same page whether a message is mailed, withheld from a suppressed address, or one of too many. */
function respondSent(web: WebContext, c: Context, link: 'preferences' | LinkAct): Promise<Response> {
  return respondAboutLinks(web, c, { kind: `${link}-sent`, title: 'preferences.links.sentTitle', status: 200 });
}

/** POST of `/preferences/:token/revoke`. */
export function handleRevocation(web: WebContext): Handler {
  return withSubscriberByToken(web, async (c, { id: subscriberId }) => {
    await revokeLinksOf(web.store.db, subscriberId, web.clock());
    return respondAboutLinks(web, c, { kind: 'revoked', title: 'preferences.links.revokedTitle', status: 200 });
  });
}

/** Names of messages. */
const TITLES: Record<LinkAct, string> = { export: 'preferences.export.title', erase: 'preferences.erase.title' };

/** GET of `/account/export/:token` and `/account/erase/:token`. */
export function serveActPage(web: WebContext, act: LinkAct): Handler {
  return withActLink(web, act, async (c, { subscriberId }) => {
    const subscriber = await readPreferences(web.store.db, subscriberId);
    if (subscriber === null) return respondErased(web, c, 410);
    const title = TITLES[act];
    const data = { title, kind: 'asked', email: maskedAddress(subscriber.email) };
    return c.html(await renderPage(web, act, headOf(web, title), data));
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
  return respondAboutLinks(web, c, { kind: 'act-over', title: 'preferences.links.actOverTitle', status: 410 });
}
