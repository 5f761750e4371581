/** The form that tries an address, and what was found there. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { localInstants } from '../../web/desk/parts/operator-text.ts';
import { rowTable } from '../../web/desk/parts/row-table.ts';
import type { SourceTest } from '../polling/source-kind.ts';

export const TRIED_USES = ['roundup', 'articles'] as const;

export interface TriedAddress {
  url: string;
  use: (typeof TRIED_USES)[number];
  /** A string says why nothing was found. */
  outcome: SourceTest | string;
}

export function addressForm(request: SignedInRequest, tried: TriedAddress | null): Html {
  const error = typeof tried?.outcome === 'string' ? `${tried.outcome}.`.replace(/\.\.$/, '.') : undefined;
  return html`<section aria-labelledby="try-title">
<h2 id="try-title">Try an address</h2>
<form method="post" action="${request.desk.base}/sources/try">
${textField({
  ...{ name: 'url', label: 'Address of a site or feed', type: 'url', value: tried?.url, error, required: true },
  ...{
    maxLength: 2_000,
    autocomplete: 'off',
    hint: 'daywire asks it once and shows what it would read. Nothing is stored.',
  },
})}
${selectField({
  ...{ name: 'use', label: 'As', value: tried?.use ?? 'roundup' },
  options: [
    { value: 'roundup', label: 'the feed of another outlet' },
    { value: 'articles', label: 'a site of your own' },
  ],
})}
${submitButton('Try it', { id: 'try' })}
</form>
</section>`;
}

export function triedResult(request: SignedInRequest, tried: TriedAddress | null): Html {
  if (tried === null || typeof tried.outcome === 'string') return html``;
  const { what, endpoint, title, items, notes } = tried.outcome;
  return html`<section id="tried" data-region aria-labelledby="tried-title">
<h2 id="tried-title">What was found</h2>
<p>Found ${what} at <code>${endpoint}</code>${title === null ? '' : html`: <span dir="auto">“${title}”</span>`}, with ${
    items === 1 ? '1 item' : `${items} items`
  }.</p>
${foundTable(request, tried.outcome)}
${notes.length === 0 ? '' : html`<ul>${notes.slice(0, 20).map((note) => html`<li dir="auto">${note}</li>`)}</ul>`}
</section>`;
}

function foundTable({ desk, at }: SignedInRequest, { newest }: SourceTest): Html {
  const { zone } = desk.app.config.publication;
  if (newest.length === 0) return html`<p class="empty">It has nothing that can be used.</p>`;
  return rowTable(
    { titleId: 'tried-title' },
    [{ label: 'Headline' }, { label: 'Published' }, { label: 'Detail' }],
    newest.map(({ headline, published, detail }) => ({
      cells: [
        html`<span dir="auto">${headline}</span>`,
        published === null ? 'no date' : localInstants(published, at, zone),
        detail,
      ],
    })),
  );
}
