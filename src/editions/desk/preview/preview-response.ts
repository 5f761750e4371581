/**
 * The mail of a draft as a document of its own, for an `<iframe sandbox>`: it can run no script, load nothing but our
 * own pictures, and lead nowhere.
 */
import { html } from 'hono/html';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../../web/desk/desk-route.ts';
import { framePolicy } from '../../../web/server/headers.ts';
import type { DraftComposition } from '../../draft/compose-draft.ts';
import { previewLinks } from '../../preview.ts';
import { fillHtml, fillText } from '../../rendering/placeholders.ts';
import { findTarget, isMissing } from '../draft/draft-view.ts';
import { composeForPage } from './compose-for-desk.ts';

export const previewRoutes: DeskRoute[] = [
  { method: 'GET', path: '/preview/:newsletter/:slot/:composition', needs: 'editions.read', handle: servePreview },
];

/** Below the desk's path. */
export function previewPath({ composed, id }: DraftComposition): string {
  const [newsletter, slot] = [composed.newsletter, composed.slot].map(encodeURIComponent);
  return `/preview/${newsletter}/${slot}/${id}`;
}

/** The plain text, with links that lead nowhere in place of a subscriber's own. */
export function previewText({ composed }: DraftComposition, publicUrl: string): string {
  return fillText(composed.text, composed.nonce, previewLinks(publicUrl));
}

async function servePreview(request: SignedInRequest): Promise<Response> {
  const { c, desk } = request;
  const { url } = desk.app.config.publication;
  for (const [name, value] of Object.entries(previewHeaders(url))) c.header(name, value);
  const target = await findTarget(request);
  const composition = isMissing(target) ? null : await composeForPage(desk, target);
  if (composition?.kind !== 'composed' || composition.id !== c.req.param('composition')) {
    return c.html(changedPage(), 410);
  }
  const { html: mail, nonce } = composition.composed;
  return c.html(fillHtml(mail, nonce, previewLinks(url)));
}

function previewHeaders(publicUrl: string): Record<string, string> {
  return {
    'Content-Security-Policy': framePolicy(publicUrl),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

function changedPage() {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Changed</title></head>
<body><p>The edition has changed since the page was loaded: load the page again.</p></body></html>
`;
}
