/** The form that tries an address, and what was found there. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { localInstants } from '../../web/desk/parts/operator-text.ts';
import { rowTable } from '../../web/desk/parts/row-table.ts';
import { apiName } from '../source-state.ts';
import type { AddressTest } from './try-address.ts';

export const TRIED_USES = ['roundup', 'articles'] as const;

export interface TriedAddress {
  url: string;
  use: (typeof TRIED_USES)[number];
  outcome: AddressTest;
}

export function addressForm(request: SignedInRequest, tried: TriedAddress | null): Html {
  const error = tried?.outcome.kind === 'failed' ? `${tried.outcome.reason}.`.replace(/\.\.$/, '.') : undefined;
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
  if (tried === null || tried.outcome.kind === 'failed') return html``;
  const { outcome } = tried;
  const { test } = outcome;
  const what =
    outcome.kind === 'outlet'
      ? html`<p>A feed at <code>${outcome.test.endpoint}</code>${
          outcome.test.title === null ? '' : html`: <span dir="auto">“${outcome.test.title}”</span>`
        }, ${outcome.test.items} reports${undated(outcome.test.undated)}.</p>`
      : html`<p>Found ${apiName(outcome.test.api)} at <code>${outcome.test.endpoint}</code>, with ${
          outcome.test.items
        } posts on the first page.</p>`;
  const unmapped = outcome.kind === 'site' ? Object.keys(outcome.test.unmapped).slice(0, 30) : [];
  return html`<section id="tried" data-region aria-labelledby="tried-title">
<h2 id="tried-title">What was found</h2>
${what}
${foundTable(request, outcome)}
${
  unmapped.length === 0
    ? ''
    : html`<p>Categories without a section: <span dir="auto">${unmapped.join(', ')}</span>. Map them by "sections".</p>`
}
${
  test.problems.length === 0
    ? ''
    : html`<ul>${test.problems.slice(0, 20).map((problem) => html`<li dir="auto">${problem}</li>`)}</ul>`
}
</section>`;
}

function undated(count: number): string {
  return count === 0 ? '' : `, ${count} of them without a date`;
}

function foundTable({ desk, at }: SignedInRequest, outcome: Exclude<AddressTest, { kind: 'failed' }>): Html {
  const { zone } = desk.app.config.publication;
  const rows =
    outcome.kind === 'outlet'
      ? outcome.test.reports.map(({ headline, published, knownBy }) => ({
          ...{ headline, published, detail: `known by its ${knownBy}` },
        }))
      : outcome.test.articles.map(({ headline, published, section }) => ({
          ...{ headline, published, detail: section ?? 'no section' },
        }));
  if (rows.length === 0) return html`<p class="empty">It has nothing that can be used.</p>`;
  return rowTable(
    { titleId: 'tried-title' },
    [{ label: 'Headline' }, { label: 'Published' }, { label: 'Detail' }],
    rows.map(({ headline, published, detail }) => ({
      cells: [
        html`<span dir="auto">${headline}</span>`,
        published === null ? 'no date' : localInstants(published, at, zone),
        detail,
      ],
    })),
  );
}
