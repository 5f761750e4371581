/** The live stream of a browser, and who has which page open. */
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { findSession } from '../../../accounts/sessions.ts';
import { SECOND } from '../../../lib/time.ts';
import type { SignedInRequest } from '../desk-request.ts';
import type { DeskRoute } from '../desk-route.ts';
import { sessionTokenOf } from '../session-cookie.ts';
import type { LiveMessage } from './live-hub.ts';
import { noteClosedTab, noteOpenTab } from './snapshot.ts';

/** A browser has one; more are a fault of the script, or somebody who tries. */
const MAX_STREAMS = 200;
/**
 * Shorter than the time-outs of proxies, and of our own server. The script takes a stream that says nothing for 40 s
 * for one that has ended.
 */
const KEEP_ALIVE = 15 * SECOND;
/** A comment would do for proxies, but no script sees it. */
const STILL_HERE: LiveMessage = { topics: {}, versions: {}, figures: {}, presence: {} };

/**
 * Server-sent events (WHATWG HTML §9.2). The script of one tab reads them for all tabs of the browser. `?account=` is
 * that of its page: after somebody else has signed in, the page is another's.
 */
function serveLive(request: SignedInRequest): Response {
  const { c, desk, account } = request;
  const { live } = desk;
  const expected = c.req.query('account');
  if (expected !== undefined && expected !== String(account.id)) return c.text('Another account is signed in.\n', 409);
  if (live.streams >= MAX_STREAMS) return c.text('Too many streams are open.\n', 503, { 'Retry-After': '30' });
  c.header('X-Accel-Buffering', 'no');
  return streamSSE(c, async (stream) => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const unsubscribe = live.subscribe((message) => {
      stream.writeSSE({ data: JSON.stringify(permitted(request, message)) }).catch(end);
    });
    stream.onAbort(end);
    live.stopSignal.addEventListener('abort', () => end(), { once: true });
    // Also ends the stream of a session that has ended, or of an account that was disabled.
    const timer = setInterval(() => keepAlive(request, stream).catch(() => end()), KEEP_ALIVE);
    await ended;
    clearInterval(timer);
    unsubscribe();
  });
}

async function keepAlive({ c, desk, account }: SignedInRequest, stream: SSEStreamingApi): Promise<void> {
  const { store, clock } = desk.app;
  const found = await findSession(store.db, sessionTokenOf(c) ?? '', clock(), null);
  // With other roles, the browser connects again as what it may be now.
  if (found === null || found.roles.join() !== account.roles.join()) throw new Error('the session has ended');
  await stream.writeSSE({ data: JSON.stringify(STILL_HERE) });
}

/** The part of a message that the account may see. */
function permitted(request: SignedInRequest, { topics, versions, figures, presence }: LiveMessage): LiveMessage {
  const seesEditions = request.may('editions.read');
  const own = Object.entries(topics).filter(([topic]) => seesEditions || topic === 'alerts');
  return {
    topics: Object.fromEntries(own),
    versions: seesEditions ? versions : {},
    figures: request.may('deliveries.read') ? figures : {},
    presence: seesEditions ? presence : {},
  };
}

async function handlePresence({ c, desk, account, form, at }: SignedInRequest): Promise<Response> {
  const [page, tab] = [form.get('page') ?? '', form.get('tab') ?? ''];
  if (!/^[a-z]+:[\w./-]{1,150}$/.test(page) || !/^[a-z0-9]{8,40}$/.test(tab)) return c.body(null, 400);
  const open = { page, tab, accountId: account.id };
  if (form.has('closed')) await noteClosedTab(desk.app.store.db, open);
  else await noteOpenTab(desk.app.store.db, open, at);
  return c.body(null, 204);
}

export const liveRoutes: DeskRoute[] = [
  { method: 'GET', path: '/live', needs: 'desk', isBackground: true, handle: serveLive },
  { method: 'POST', path: '/presence', needs: 'editions.read', isBackground: true, handle: handlePresence },
];
