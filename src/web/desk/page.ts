/** Pages of the desk in their layout, and responses to acts. */
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { assetPath } from './assets.ts';
import type { DeskRequest, Html, NavigationGroup } from './desk-request.ts';
import { type Notice, setNotice, takeNotice, unsavedTextOf } from './notice.ts';
import { postButton } from './parts/form.ts';
import { KNOWN_REGIONS, withRegionHashes } from './regions.ts';

export interface DeskPage {
  /** The main heading, too. */
  title: string;
  /** The id of the current item of the navigation; null for none. */
  section: string | null;
  /** Content after the heading. */
  body: Html;
  /** In place of the plain heading; it has an h1. */
  heading?: Html;
  /** Topics of the page, which reloads itself when one of them changes; see live/snapshot.ts. */
  topics?: readonly string[];
  /** Version of the one topic that has versions in the live stream. It is read before the rest of the page. */
  version?: string;
  /** Colleagues who have the page open are named. Default: false. */
  hasPresence?: boolean;
  status?: ContentfulStatusCode;
  /** It shows a link, a key or a code that lets somebody in. Default: whether nobody has signed in. */
  hasSecret?: boolean;
  /** Seconds until it loads itself again where no script runs; the script does so while it has `data-pending`. */
  reload?: number | undefined;
}

/** Nothing inline, no other site. Pictures of articles come from our own media folder. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers of every response of the desk that does not set its own. */
export const DESK_HEADERS = {
  'Content-Security-Policy': POLICY,
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'same-origin',
  'X-Robots-Tag': 'noindex',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * A page is not compressed that shows a secret: who can choose another part of it, and sees the length of responses,
 * could guess the secret letter by letter (BREACH). Forms have no token: the origin of a request is checked instead.
 */
const NO_TRANSFORM = 'no-store, no-transform';

/** The field of each form that names the account of its page. Somebody else may sign in before it is posted. */
export const PAGE_ACCOUNT = 'page-account';

/** Texts of others are escaped, so every tag is ours. The address of an upload names the account: its body is long. */
function tieForms(page: string, account: number): string {
  return page.replaceAll(/<form [^>]*>/g, (form) => {
    if (!form.includes('method="post"')) return form;
    if (form.includes('multipart/')) return form.replace(/ action="[^"]*/, `$&?${PAGE_ACCOUNT}=${account}`);
    return `${form}<input type="hidden" name="${PAGE_ACCOUNT}" value="${account}">`;
  });
}

export async function respondPage(request: DeskRequest, page: DeskPage): Promise<Response> {
  const { c, desk } = request;
  const notice = request.notice ?? takeNotice(c);
  const sent = unsavedTextOf(request.form);
  const { publication } = desk.app.config;
  const topics = page.topics ?? [];
  const content = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · ${publication.name} desk</title>
${page.reload === undefined ? '' : html`<noscript><meta http-equiv="refresh" content="${page.reload}"></noscript>`}
<link rel="stylesheet" href="${assetPath(desk, 'desk.css')}">
<link rel="icon" href="${assetPath(desk, 'desk.svg')}" type="image/svg+xml">
<script src="${assetPath(desk, 'desk.js')}" type="module"></script>
<script src="${assetPath(desk, 'unsaved.js')}" type="module"></script>
</head>
<body data-base="${desk.base}" data-at="${request.at}" data-zone="${publication.zone}"
data-topics="${topics.join(' ')}"${page.version === undefined ? '' : html` data-version="${page.version}"`}${
    request.account === null ? '' : html` data-account="${request.account.id}"`
  }${request.account?.hasShortcuts ? html` data-shortcuts` : ''}${page.hasPresence ? html` data-presence` : ''}${
    notice?.saved === undefined ? '' : html` data-saved="${notice.saved}"`
  }${sent === undefined ? '' : html` data-sent="${sent}"`}>
<a class="skip" href="#main">Skip to the content</a>
${header(request, page.section)}
<main id="main" tabindex="-1">
${noticeRegion(request, notice?.place === undefined ? notice : null)}
${page.heading ?? html`<h1>${page.title}</h1>`}
${page.hasPresence ? html`<p id="presence" class="hint" role="status"></p>` : ''}
${page.body}
</main>
<footer class="foot">
<p>Times are in ${publication.zone}.${
    request.account?.hasShortcuts ? html` <span class="needs-script">Press <kbd>?</kbd> for the keys.</span>` : ''
  } <span id="live" class="needs-script" role="status"></span></p>
</footer>${request.account === null ? '' : KEYS}
</body>
</html>
`;
  if (page.hasSecret || request.account === null) c.header('Cache-Control', NO_TRANSFORM);
  const text = request.account === null ? String(await content) : tieForms(String(await content), request.account.id);
  return c.html(withRegionHashes(text, c.req.header(KNOWN_REGIONS)), page.status ?? 200);
}

/** Dialog that the script fills with the keys of the page. */
const KEYS = html`
<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys of this page</h2><dl class="pairs"></dl>
<h3>Of rows</h3><dl class="pairs"></dl>
<form method="dialog" class="buttons"><button>Close</button></form></dialog>`;

/** Leads to a page, which shows the outcome of an act once. @param path below the desk's path */
export function respondAfter(request: DeskRequest, path: string, notice?: Notice): Response {
  const saved = notice?.kind === 'done' ? unsavedTextOf(request.form) : undefined;
  if (notice !== undefined) setNotice(request.c, { ...notice, saved });
  return request.c.redirect(request.desk.base + path, 303);
}

/** A page that says what is wrong, such as that there is no such edition. */
export function respondProblem(
  request: DeskRequest,
  status: ContentfulStatusCode,
  title: string,
  message: string,
): Promise<Response> {
  return respondPage(request, { title, section: null, status, body: html`<p>${message}</p>` });
}

/** 404, in words that say what was looked for. */
export function respondMissing(request: DeskRequest, message: string): Promise<Response> {
  return respondProblem(request, 404, 'Not found', message);
}

function noticeRegion(request: DeskRequest, notice: Notice | null): Html {
  const undo = notice?.undo;
  const content =
    notice === null
      ? ''
      : html`<div class="notice ${notice.kind}"><strong>${notice.kind === 'done' ? 'Done' : 'Not done'}:</strong>
${notice.text}${
  undo === undefined
    ? ''
    : postButton(request, undo.action, undo.label ?? 'Undo', { fields: undo.fields, id: 'undo-notice' })
}</div>`;
  return html`<section id="notice" data-region role="status" aria-label="Outcome">${content}</section>`;
}

function header(request: DeskRequest, section: string | null): Html {
  const { desk, account } = request;
  const { name } = desk.app.config.publication;
  if (account === null) return html`<header class="top"><p class="brand">${name}</p></header>`;
  // Without a script, too: the browser opens the menu, and wide windows always show it.
  return html`<header class="top">
<p class="brand"><a href="${desk.base}">${name}</a></p>
<button type="button" class="to-menu" popovertarget="menu">Menu</button>
<div id="menu" popover><nav aria-label="Desk">${desk.navigation.map((group) =>
    navigationGroup(request, group, section),
  )}</nav>
<div class="me"><a href="${desk.base}/account"${currentPage(section === 'account')}><span
class="hidden">Your account: </span>${account.name}</a>
${postButton(request, '/sign-out', 'Sign out', { quiet: true })}</div></div>
</header>`;
}

function navigationGroup(request: DeskRequest, { id, label, items }: NavigationGroup, section: string | null): Html {
  const shown = items.filter(({ needs }) => request.may(needs));
  if (shown.length === 0) return html``;
  const links = shown.map(
    (item) =>
      html`<li><a href="${request.desk.base}${item.path}"${currentPage(item.id === section)}>${item.label}</a></li>`,
  );
  return html`<p id="menu-${id}">${label}</p><ul aria-labelledby="menu-${id}">${links}</ul>`;
}

function currentPage(isCurrent: boolean): Html | '' {
  return isCurrent ? html` aria-current="page"` : '';
}
