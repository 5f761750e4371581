/** Figures, each with an explanation of what it means. */
import { html } from 'hono/html';
import { formatCount } from '../../../lib/text/count.ts';
import type { Html } from '../html.ts';

export interface Figure {
  label: string;
  /** Null where it is not known: the meaning says why. */
  value: number | string | null;
  meaning: string;
  /** Its name in the live stream, such as `edition:17:submitted`. */
  live?: string | undefined;
}

/** A list of figures. */
export function figures(list: readonly Figure[]): Html {
  return html`<dl class="figures">${list.map(figure)}</dl>`;
}

function figure({ label, value, meaning, live }: Figure): Html {
  const text = value === null ? 'not known' : typeof value === 'number' ? formatCount(value) : value;
  const attribute = live === undefined ? '' : html` data-figure="${live}"`;
  return html`<div><dt>${label}</dt><dd><b${attribute}>${text}</b> ${help(label, meaning, live)}</dd></div>`;
}

/**
 * An explanation behind a question mark, which opens without a script.
 * @param about what assistive technology calls it
 * @param id unique on the page: it stays open when its region is replaced
 */
export function help(about: string, text: Html | string, id = about): Html {
  return html`<details class="help" id="help-${id.replaceAll(' ', '-')}">
<summary><span class="hidden">About ${about}</span><span aria-hidden="true">?</span></summary><p>${text}</p></details>`;
}

/** A heading with its explanation. */
export function explainedHeading(title: string, text: Html | string, id?: string): Html {
  const attribute = id === undefined ? '' : html` id="${id}"`;
  return html`<div class="explained"><h2${attribute}>${title}</h2> ${help(title, text)}</div>`;
}
