/**
 * The page behind the link of a confirmation mail. GET shows a button, since link scanners follow every link; POST confirms.
 */
import type { Context } from 'hono';
import { confirmRequest, findRequest } from '../../subscribers/consent/consent.ts';
import { preferencesToken, readConfirmToken, type ServiceMessageKey } from '../../subscribers/tokens/tokens.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import { answerNotFound } from '../server/error-pages.ts';
import type { Answer, Answers } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
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
export function answerConfirm(site: Site): Answers {
  const { db } = site.store;
  return {
    get: withToken(site, async (key) => {
      const request = await findRequest(db, key, site.clock());
      if (request === null) return { kind: 'unknown' };
      return request.kind === 'done' ? { ...request, kind: 'confirmed', subscriberId: key.subscriberId } : request;
    }),
    post: withToken(site, (key, c) => {
      const source = clientAddress(c, site.config.server.trustedProxies);
      return confirmRequest(db, site.secrets, key, { channel: 'confirmation', source }, site.clock());
    }),
  };
}

function withToken(site: Site, act: (key: ServiceMessageKey, c: Context) => Promise<Outcome>): Answer {
  return async (c) => {
    const key = readConfirmToken(site.secrets, c.req.param('token') ?? '');
    if (key === null) return answerNotFound(site, c);
    const outcome = await act(key, c);
    const title = TITLES[outcome.kind];
    const data = {
      title,
      kind: outcome.kind,
      newsletters: 'newsletters' in outcome ? namesOf(site, outcome.newsletters) : [],
      preferences: outcome.kind === 'confirmed' ? preferencesToken(site.secrets, outcome.subscriberId) : null,
      hours: site.config.signup.confirmWithinHours,
      open: isSubscribingOpen(site),
    };
    const html = await renderPage(site, 'confirm', { title, description: title, path: null }, data);
    return c.html(html, outcome.kind === 'expired' || outcome.kind === 'unknown' ? 410 : 200);
  };
}

/** A newsletter may have gone from the configuration since. */
function namesOf(site: Site, ids: string[]): { title: string; schedule: string | null }[] {
  const choices = newsletterChoices(site, []);
  return ids.map((id) => choices.find((choice) => choice.id === id) ?? { title: id, schedule: null });
}
