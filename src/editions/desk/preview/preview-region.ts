/**
 * The preview on the page of an edition: the mail as a phone and a desktop show it, light and dark, its plain text, and
 * its line in an inbox. What is shown is in the address of the page alone, so it works without a script.
 */
import { html } from 'hono/html';
import type { NewsletterConfig } from '../../../core/config/schema.ts';
import { graphemeCount, shorten } from '../../../lib/text/shorten.ts';
import type { DeskRequest } from '../../../web/desk/desk-request.ts';
import type { Html } from '../../../web/desk/html.ts';
import { formatCount } from '../../../web/desk/parts/figure.ts';
import { queryText } from '../../../web/desk/parts/pager.ts';
import type { DraftComposition, EmptyComposition } from '../../draft/compose-draft.ts';
import { type DraftTarget, draftPath } from '../../draft/draft-target.ts';
import { MAX_HTML_BYTES } from '../../rendering/size-limit.ts';
import { previewPath, previewText } from './preview-response.ts';

/** CSS pixels: the mail's own rules for small screens follow the width of its frame. */
const WIDTHS = { phone: 375, desktop: 650 } as const;
/** CSS pixels, where the style sheet does not make it as high as the window. Longer mails scroll within the frame. */
const HEIGHT = 720;

/** Region `preview`. Browsers pass the color scheme of the frame to the mail's own rules. */
export function previewRegion(
  request: DeskRequest,
  target: DraftTarget,
  composition: DraftComposition | EmptyComposition,
): Html {
  const choice = readChoice(request);
  if (composition.kind === 'empty') {
    return html`<section id="preview" data-region aria-labelledby="preview-title">
<h2 id="preview-title">Preview</h2>
<p class="empty">Nothing to preview: ${composition.reason}.</p></section>`;
  }
  const { view, scheme } = choice;
  const mail = view === 'text' ? plainText(request, composition) : frame(request, composition, { view, scheme });
  return html`<section id="preview" data-region aria-labelledby="preview-title">
<div class="titled"><h2 id="preview-title">Preview</h2>
${choices(request.desk.base + draftPath(target), choice)}</div>
${inbox(target.newsletter, composition, view)}
${mail}
</section>`;
}

function choices(page: string, { view, scheme }: PreviewChoice): Html {
  const views = [
    ['phone', 'Phone'],
    ['desktop', 'Desktop'],
    ['text', 'Plain text'],
  ] as const;
  const schemes = [
    ['light', 'Light'],
    ['dark', 'Dark'],
  ] as const;
  const link = (choice: PreviewChoice, label: string, isCurrent: boolean): Html =>
    html`<li><a id="preview-${label.toLowerCase().replace(' ', '-')}" href="${page}${choiceQuery(
      choice,
    )}#preview"${isCurrent ? html` aria-current="true"` : ''}>${label}</a></li>`;
  return html`<nav class="choices" aria-label="What the preview shows">
<ul>${views.map(([id, label]) => link({ view: id, scheme }, label, id === view))}</ul>
${
  view === 'text'
    ? ''
    : html`<ul>${schemes.map(([id, label]) => link({ view, scheme: id }, label, id === scheme))}</ul>`
}</nav>`;
}

function frame(
  { desk }: DeskRequest,
  composition: DraftComposition,
  { view, scheme }: { view: keyof typeof WIDTHS; scheme: PreviewChoice['scheme'] },
): Html {
  const width = WIDTHS[view];
  const address = desk.base + previewPath(composition);
  return html`<div class="preview-frame" role="group" aria-label="The mail" tabindex="0">
<iframe sandbox class="${scheme}" title="The mail on a ${view}, ${width} pixels wide, ${scheme}" src="${address}"
width="${width}" height="${HEIGHT}"></iframe></div>
<p class="meaning">${width} pixels wide, as it would be sent. Links lead nowhere here, and only our own pictures
load. ${size(composition)}</p>`;
}

function size({ composed }: DraftComposition): string {
  const { bytes } = composed.size;
  const percent = Math.ceil((100 * bytes) / MAX_HTML_BYTES);
  return `${formatCount(Math.ceil(bytes / 1_024))} KB, ${percent}% of what Gmail shows whole.`;
}

function plainText({ desk }: DeskRequest, composition: DraftComposition): Html {
  const text = previewText(composition, desk.app.config.publication.url);
  return html`<pre class="plain-text" tabindex="0" aria-label="The plain text of the mail" dir="auto">
${text}</pre>
<p class="meaning">For programs that show no HTML. It is in every copy.</p>`;
}

/** The mail in an inbox before it is opened, for the previewed width. */
function inbox(newsletter: NewsletterConfig, { composed }: DraftComposition, view: PreviewChoice['view']): Html {
  const { subject, preheader } = composed;
  const place = view === 'phone' ? 'phone' : 'desktop';
  const line = inboxLine(place, { subject, preheader });
  return html`<div id="inbox"><dl class="inbox"><dt>In the inbox</dt>
<dd class="inbox-line ${place}" dir="auto"><b>${newsletter.from.name}</b> <span class="inbox-subject">${
    line.subject
  }</span> <span class="inbox-preheader">${line.preheader}</span></dd></dl>
<p class="meaning">Subject: ${countLine(subject, PHONE_SUBJECT)}. Preheader: ${countLine(
    preheader,
    PHONE_PREHEADER,
  )}. Programs differ.</p></div>`;
}

/** Graphemes of the subject that phones show, as in the check of the subject. */
export const PHONE_SUBJECT = 60;
/** Graphemes of the preheader that phones show, in two lines. */
export const PHONE_PREHEADER = 90;
/** Graphemes of subject and preheader together, in one line of a wide window. */
const DESKTOP_LINE = 120;

/** How an inbox shows an edition before it is opened, on a phone or in a wide window. Programs differ. Pure. */
export function inboxLine(
  place: 'phone' | 'desktop',
  { subject, preheader }: { subject: string; preheader: string },
): { subject: string; preheader: string } {
  if (place === 'phone') {
    return { subject: shorten(subject, PHONE_SUBJECT), preheader: shorten(preheader, PHONE_PREHEADER) };
  }
  const shown = shorten(subject, DESKTOP_LINE);
  return { subject: shown, preheader: shorten(preheader, DESKTOP_LINE - graphemeCount(shown)) };
}

/** `47 characters; phones show about 60`. */
export function countLine(text: string, limit: number): string {
  const count = graphemeCount(text);
  return `${count} ${count === 1 ? 'character' : 'characters'}; phones show about ${limit}`;
}

interface PreviewChoice {
  view: 'phone' | 'desktop' | 'text';
  scheme: 'light' | 'dark';
}

/** The choice of the address; after an act, that of the page with the form, which the browser names as referrer. */
function readChoice({ c }: Pick<DeskRequest, 'c'>): PreviewChoice {
  return chosenIn(c.req.query()) ?? chosenBefore(c.req.header('Referer')) ?? { view: 'phone', scheme: 'light' };
}

/** The query that an address lacks because an act led to it; an empty text if it lacks none. */
export function lostChoice({ c }: Pick<DeskRequest, 'c'>): string {
  const before = chosenIn(c.req.query()) === null ? chosenBefore(c.req.header('Referer')) : null;
  return before === null ? '' : choiceQuery(before);
}

/** Such as `?view=desktop&scheme=dark`. */
function choiceQuery({ view, scheme }: PreviewChoice): string {
  return queryText({ view, scheme });
}

function chosenBefore(referrer: string | undefined): PreviewChoice | null {
  const url = URL.parse(referrer ?? '');
  return url === null ? null : chosenIn(Object.fromEntries(url.searchParams));
}

function chosenIn({ view, scheme }: Record<string, string>): PreviewChoice | null {
  if (view === undefined && scheme === undefined) return null;
  return {
    view: view === 'desktop' || view === 'text' ? view : 'phone',
    scheme: scheme === 'dark' ? 'dark' : 'light',
  };
}
