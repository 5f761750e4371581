/** Two texts of the same fields, side by side. */
import { html } from 'hono/html';
import type { Html } from '../../web/desk/desk-request.ts';
import { scrollable } from '../../web/desk/parts/row-table.ts';

interface ComparedField {
  label: string;
  texts: readonly [string, string];
}

/** @param heads of the two columns of texts */
export function bothTexts(heads: readonly [string, string], fields: readonly ComparedField[]): Html {
  const text = (value: string): Html => html`<td><pre dir="auto">${value || 'none'}</pre></td>`;
  return html`<div${scrollable('Both texts')}><table>
<thead><tr><th scope="col">Field</th>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${fields.map(
    ({ label, texts: [first, second] }) => html`<tr><th scope="row">${label}</th>${text(first)}${text(second)}</tr>`,
  )}</tbody></table></div>`;
}
