/**
 * The mail of a draft, its plain text and its line in an inbox, each as a document of its own for an
 * `<iframe sandbox>`: it can run no script, load nothing but our own pictures, and lead nowhere.
 */
import { html } from 'hono/html';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import { editionLocale } from '../../../core/config/site-view.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../../web/desk/desk-route.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import { framePolicy } from '../../../web/server/headers.ts';
import { fillCopy, openCopies } from '../../copies/copy.ts';
import { DraftCommandError, planCommand } from '../../draft/commands.ts';
import { arrangeDraft, type DraftComposition } from '../../draft/compose-draft.ts';
import { type Draft, withField } from '../../draft/decisions.ts';
import { previewLinks } from '../../preview.ts';
import { fillHtml, fillText } from '../../rendering/placeholders.ts';
import { findTarget, isMissing } from '../draft/draft-view.ts';
import { TEXT_FIELDS } from '../draft/text-forms.ts';
import { composeForPage, recentCompositions } from './compose-for-desk.ts';
import { choiceOf } from './copy-choices.ts';
import { inboxLines } from './inbox-line.ts';
import { viewNamed } from './preview-choice.ts';

export const previewRoutes: DeskRoute[] = [
  { method: 'GET', path: '/preview/:newsletter/:slot/:composition', needs: 'editions.read', handle: servePreview },
  { method: 'POST', path: '/editions/:newsletter/:slot/draft/preview', needs: 'drafts.edit', handle: previewTexts },
];

/** Below the desk's path. */
export function previewPath({ composed, id }: DraftComposition): string {
  const [newsletter, slot] = [composed.newsletter, composed.slot].map(encodeURIComponent);
  return `/preview/${newsletter}/${slot}/${id}`;
}

async function servePreview(request: SignedInRequest): Promise<Response> {
  const { c, desk } = request;
  const target = await findTarget(request);
  const id = c.req.param('composition') ?? '';
  const composition = isMissing(target) ? null : (recentCompositions.get(id) ?? (await composeForPage(desk, target)));
  if (isMissing(target) || composition?.kind !== 'composed' || composition.id !== id) {
    return respondFrame(request, messagePage('The edition has changed since the page was loaded: load it again.'), 410);
  }
  return respondFrame(request, viewOf(request, composition, target.newsletter, c.req.query('view')));
}

/** Shows the edition with texts that an editor has typed and not saved. Stores nothing. */
async function previewTexts(request: SignedInRequest): Promise<Response> {
  const { desk, form } = request;
  const target = await findTarget(request);
  if (isMissing(target)) return respondFrame(request, messagePage(target.message), 404);
  const arrangement = await arrangeDraft(desk.app, target);
  try {
    arrangement.arranged.draft = withTexts(arrangement.arranged.draft, form);
  } catch (error) {
    if (error instanceof DraftCommandError) return respondFrame(request, messagePage(sentence(error)), 422);
    throw error;
  }
  const composition = await composeForPage(desk, target, arrangement);
  if (composition.kind === 'empty') {
    return respondFrame(request, messagePage(`Nothing to preview: ${composition.reason}.`));
  }
  return respondFrame(request, viewOf(request, composition, target.newsletter, form.get('view') ?? ''));
}

/** The draft with texts as they would be saved. @throws DraftCommandError for one that would be refused */
function withTexts(draft: Draft, form: URLSearchParams): Draft {
  // Texts concern no story, no editor and no time.
  const context = { shown: [], isRoundupItem: false, editor: '', now: 0 };
  return TEXT_FIELDS.reduce((changed, kind) => {
    const text = form.get(kind);
    if (text === null) return changed;
    const { changes } = planCommand(draft, { kind, text: text.trim() === '' ? null : text }, context);
    return changes.reduce((one, { field, value }) => withField(one, field, value), changed);
  }, draft);
}

/** The document of a view, of the copy that the address names. */
function viewOf({ c, desk }: SignedInRequest, { composed }: DraftComposition, newsletter: NewsletterConfig, view = '') {
  const { config } = desk.app;
  const { url, language } = config.publication;
  const { segments, nonce } = composed;
  const links = previewLinks(url);
  const choice = choiceOf(c.req.query('copy') ?? '');
  const [body, text] = [fillHtml(composed.html, nonce, links), fillText(composed.text, nonce, links)];
  let mail = { subject: composed.subject, preheader: composed.preheader, html: body, text };
  if (segments !== null && choice !== null) {
    const copy = openCopies(composed, editionLocale(config, newsletter))(choice);
    if (copy.suppressed !== null) return messagePage(`Not mailed to them: ${copy.suppressed}.`);
    mail = fillCopy(segments, copy, nonce, links);
  }
  switch (viewNamed(view)) {
    case 'text':
      return framePage(
        'The plain text',
        html`<pre lang="${language}" dir="auto">
${mail.text}</pre>`,
      );
    case 'inbox':
      return framePage('In the inbox', inboxLines(newsletter.from.name, mail));
    default:
      return mail.html;
  }
}

function respondFrame({ c, desk }: SignedInRequest, page: Html | string, status: 200 | 404 | 410 | 422 = 200) {
  c.header('Content-Security-Policy', framePolicy(desk.app.config.publication.url));
  c.header('Cache-Control', 'no-store');
  c.header('Referrer-Policy', 'no-referrer');
  c.header('X-Content-Type-Options', 'nosniff');
  return c.html(page, status);
}

function messagePage(message: string): Html {
  return framePage('Preview', html`<p>${message}</p>`);
}

const STYLE = html`body{font:14px/20px system-ui,sans-serif;margin:16px}pre{font:13px/18px ui-monospace,monospace;
white-space:pre-wrap;overflow-wrap:anywhere;margin:0}h2{font-size:14px;margin:24px 0 4px}h2:first-child{margin-top:0}
.phone{max-width:343px}.phone>*{display:block}.phone .subject{overflow:hidden;text-overflow:ellipsis;
white-space:nowrap}.preheader{opacity:.75}p{margin:0 0 16px;overflow-wrap:anywhere}`;

function framePage(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${title}</title>
<style>${STYLE}</style></head>
<body>${body}</body></html>
`;
}
