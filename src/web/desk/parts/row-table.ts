/**
 * Tables whose rows are about one thing each. On a phone a row is a block, in which each cell has the name of its
 * column before it.
 */
import { html } from 'hono/html';
import type { Html } from '../desk-request.ts';

interface Column {
  label: string;
  /** Figures, which are aligned to the end, as buttons are. */
  isNumber?: boolean;
}

export interface TableRow {
  /** Stable, for links to the row. */
  id?: string;
  /** Whether `j` and `k` move to it. */
  isFocusable?: boolean;
  /** One for each column; the first one names the row. */
  cells: readonly (Html | string | number)[];
}

/**
 * @param name of the table, or the id of the heading that names it
 * @param given the labels of the columns; a text is a column without figures
 */
export function rowTable(
  name: string | { titleId: string },
  given: readonly (string | Column)[],
  rows: readonly TableRow[],
): Html {
  const columns = given.map((one): Column => (typeof one === 'string' ? { label: one } : one));
  const heads = columns.map((column) => html`<th scope="col"${numeric(column)}>${column.label}</th>`);
  const body = rows.map((row) => tableRow(columns, row));
  return html`<div${scrollable(name)}>
<table class="stacked"><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function tableRow(columns: readonly Column[], { id, isFocusable, cells: [name, ...others] }: TableRow): Html {
  const cells = others.map((cell, index) => {
    const column = columns[index + 1];
    return html`<td data-label="${column?.label ?? ''}"${numeric(column)}>${cell}</td>`;
  });
  const focusable = isFocusable === true ? html` data-row tabindex="-1"` : '';
  return html`<tr${id === undefined ? '' : html` id="${id}"`}${focusable}><th scope="row">${name}</th>${cells}</tr>
`;
}

function numeric(column: Column | undefined): Html | '' {
  return column?.isNumber || column?.label === 'Acts' ? html` class="num"` : '';
}

/**
 * The attributes of the element around a wide table.
 * @param name what assistive technology calls it, or the id of the heading that names it
 */
export function scrollable(name: string | { titleId: string }): Html {
  const named = typeof name === 'string' ? html`aria-label="${name}"` : html`aria-labelledby="${name.titleId}"`;
  return html` class="scroll" tabindex="0" role="group" ${named}`;
}
