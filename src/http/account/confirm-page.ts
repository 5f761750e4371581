/**
 * The page behind the link of a confirmation mail. GET shows a button, since link scanners follow every link; POST confirms.
 */
import type { Context } from 'hono';
import { confirmRequest, findRequest } from '../../subscribers/consent/opt-in.ts';
import { preferencesToken, readConfirmToken, type ServiceMessageKey } from '../../subscribers/tokens.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import { respondNotFound } from '../server/errors.ts';
import type { Answers, RequestHandler } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { newsletterChoices } from './newsletter-choice.ts';
import { isSubscribingOpen } from './subscribe-form.ts';

/** What became of a request, and the newsletters it is about. */
type Outcome =
  | { kind: 'open'; newsletters: string[] }
  | { kind: 'confirmed'; newsletters: string[]; subscriberId: number }
  | { kind: 'expired' }
  | { kind: 'unknown' };

const TITLES: Record<Outcome['kind'], string> = {
  open: 'Confirm that you want this',
  confirmed: 'You are subscribed',
  expired: 'This link is no longer good',
  unknown: 'There is nothing to confirm',
};

/** Answers `/confirm/:token`. */
export function answerConfirm(web: WebContext): Answers {
  const { db } = web.store;
  return {
    get: withToken(web, async (key) => {
      const request = await findRequest(db, key, web.clock());
      if (request === null) return { kind: 'unknown' };
      return request.kind === 'done' ? { ...request, kind: 'confirmed', subscriberId: key.subscriberId } : request;
    }),
    post: withToken(web, (key, c) => {
      const source = clientAddress(c, web.config.server.trustedProxies);
      return confirmRequest(db, web.secrets, key, { channel: 'confirmation', source }, web.clock());
    }),
  };
}

function withToken(web: WebContext, act: (key: ServiceMessageKey, c: Context) => Promise<Outcome>): RequestHandler {
  return async (c) => {
    const key = readConfirmToken(web.secrets, c.req.param('token') ?? '');
    if (key === null) return respondNotFound(web, c);
    const outcome = await act(key, c);
    const title = TITLES[outcome.kind];
    const data = {
      title,
      kind: outcome.kind,
      newsletters: 'newsletters' in outcome ? namesOf(web, outcome.newsletters) : [],
      preferences: outcome.kind === 'confirmed' ? preferencesToken(web.secrets, outcome.subscriberId) : null,
      hours: web.config.signup.confirmWithinHours,
      open: isSubscribingOpen(web),
    };
    const html = await renderPage(web, 'confirm', { title, description: title, path: null }, data);
    return c.html(html, outcome.kind === 'expired' || outcome.kind === 'unknown' ? 410 : 200);
  };
}

/** A newsletter may have gone from the configuration since. */
function namesOf(web: WebContext, ids: string[]): { title: string; schedule: string | null }[] {
  const choices = newsletterChoices(web, []);
  return ids.map((id) => choices.find((choice) => choice.id === id) ?? { title: id, schedule: null });
}
