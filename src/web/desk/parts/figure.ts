/** Figures, each with a line that says what it means. */
import { html } from 'hono/html';
import type { Html } from '../html.ts';

export interface Figure {
  label: string;
  /** Null where it is not known: the meaning says why. */
  value: number | string | null;
  meaning: string;
  /** Its name in the live stream, such as `edition:17:submitted`. */
  live?: string | undefined;
}

/** `1,204`. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat('en-US').format(count);
}

/** A list of figures. */
export function figures(list: readonly Figure[]): Html {
  return html`<dl class="figures">${list.map(figure)}</dl>`;
}

function figure({ label, value, meaning, live }: Figure): Html {
  const text = value === null ? 'not known' : typeof value === 'number' ? formatCount(value) : value;
  const attribute = live === undefined ? '' : html` data-figure="${live}"`;
  return html`<div><dt>${label}</dt><dd><b${attribute}>${text}</b><span class="meaning">${meaning}</span></dd></div>`;
}
