/**
 * The preview on the page of an edition: the mail as a phone and a desktop show it, light and dark, its plain text, and
 * its line in an inbox. What is shown is in the address of the page, so it works without a script. The script switches
 * it without loading the page, and posts texts that are not saved into the same frame.
 */
import { html } from 'hono/html';
import { formatCount } from '../../../lib/text/count.ts';
import type { Html } from '../../../web/desk/html.ts';
import { hiddenFields, submitButton } from '../../../web/desk/parts/form.ts';
import { queryText } from '../../../web/desk/parts/pager.ts';
import type { DraftComposition } from '../../draft/compose-draft.ts';
import { draftPath } from '../../draft/draft-target.ts';
import { MAX_HTML_BYTES } from '../../rendering/size-limit.ts';
import { actPath, type DraftPageView } from '../draft/draft-view.ts';
import { copyOptions } from './copy-choices.ts';
import { choiceQuery, type PageChoice, PREVIEW_VIEWS, type PreviewView, readPreviewChoice } from './preview-choice.ts';
import { previewPath } from './preview-response.ts';

/** `width`: CSS pixels; the mail's own rules for small screens follow the width of its frame. */
const VIEWS: Record<PreviewView, { label: string; title: string; width: string }> = {
  phone: { label: 'Phone', title: 'The mail on a phone, 375 pixels wide', width: '375' },
  desktop: { label: 'Desktop', title: 'The mail on a desktop, 650 pixels wide', width: '650' },
  text: { label: 'Plain text', title: 'The plain text of the mail, which every copy has', width: '100%' },
  inbox: { label: 'Inbox', title: 'The mail in an inbox, before it is opened', width: '100%' },
};
const SCHEMES = { light: 'Light', dark: 'Dark' } as const;

/** Region `preview`. Browsers pass the color scheme of the frame to the mail's own rules. */
export function previewRegion({ request, draft, composition }: DraftPageView): Html {
  if (composition.kind === 'empty') {
    return html`<section id="preview" data-region aria-labelledby="preview-title">
<h2 id="preview-title">Preview</h2>
<p class="empty">Nothing to preview: ${composition.reason}.</p></section>`;
  }
  const { base, app } = request.desk;
  const asked = readPreviewChoice(request);
  const options = copyOptions(app.config, draft.newsletter, draft.stories);
  // A reporter may no longer have a story.
  const copy = options.find(({ value }) => value === asked.copy)?.value ?? '';
  const choice = { ...asked, copy };
  const { view, scheme } = choice;
  const address = `${base}${previewPath(composition)}?${copy === '' ? '' : `copy=${encodeURIComponent(copy)}&`}`;
  const { title, width } = VIEWS[view];
  const page = base + draftPath(draft);
  const action = base + actPath(draft, 'preview') + queryText({ copy });
  const unsaved = html`<form id="preview-form" method="post" data-plain action="${action}" hidden></form>`;
  // The script compares `data-version`: it has changed the rest of the region itself.
  return html`<section id="preview" data-region data-version="${composition.id}${copy}" data-view="${view}"
aria-labelledby="preview-title">
<div class="titled"><h2 id="preview-title">Preview</h2>
<button type="button" id="preview-large" class="quiet needs-script">Fill the screen</button></div>
${choices(page, choice)}
${options.length > 1 ? copyForm(page, choice, options) : ''}
${request.may('drafts.edit') ? unsaved : ''}
<div class="preview-frame" role="group" aria-label="The mail" tabindex="0"><iframe sandbox
class="${scheme}" title="${title}, ${scheme}" width="${width}" src="${address}view=${view}"
data-address="${address}" data-shown="${width === '100%' ? view : 'mail'}[]"></iframe></div>
<p class="meaning"><span id="preview-unsaved"></span>As it would be sent. Links lead nowhere here, and only our own
pictures load. ${copy === '' ? size(composition) : ''}</p>
</section>`;
}

function choices(page: string, choice: PageChoice): Html {
  const link = (part: 'view' | 'scheme', value: string, label: string, title: string): Html => {
    const query = choiceQuery({ ...choice, [part]: value });
    const current = choice[part] === value ? html` aria-current="true"` : '';
    const words = part === 'view' ? html` data-title="${title}" data-width="${VIEWS[value as PreviewView].width}"` : '';
    return html`<li><a id="preview-${value}" data-part="${part}" data-value="${value}"${words}
href="${page}${query}#preview"${current}>${label}</a></li>`;
  };
  return html`<nav class="choices" aria-label="What the preview shows">
<ul>${PREVIEW_VIEWS.map((view) => link('view', view, VIEWS[view].label, VIEWS[view].title))}</ul>
<ul>${Object.entries(SCHEMES).map(([scheme, label]) => link('scheme', scheme, label, ''))}</ul></nav>`;
}

/** Without the script, it loads the page. */
function copyForm(page: string, { view, scheme, copy, q }: PageChoice, options: ReturnType<typeof copyOptions>): Html {
  const shown = options.map(
    ({ value, label }) =>
      html`<option value="${value}" dir="auto"${value === copy ? html` selected` : ''}>${label}</option>`,
  );
  return html`<form id="copies" class="filters" method="get" action="${page}#preview">
${hiddenFields({ view, scheme, q })}
<div class="field"><label for="copy">Subscribers who chose</label><select id="copy" name="copy">${shown}</select></div>
${submitButton('Show', { id: 'copies-show' })}</form>`;
}

function size({ composed }: DraftComposition): string {
  const { bytes } = composed.size;
  const percent = Math.ceil((100 * bytes) / MAX_HTML_BYTES);
  return `${formatCount(Math.ceil(bytes / 1_024))} KB, ${percent}% of what Gmail shows whole.`;
}
