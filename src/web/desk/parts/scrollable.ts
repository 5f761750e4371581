/**
 * What may be wider than a phone scrolls sideways within itself, also by keyboard, and never moves the page.
 */
import { html } from 'hono/html';
import type { Html } from '../desk-request.ts';

/**
 * The attributes of the element around a wide table.
 * @param name what assistive technology calls it, or the id of the heading that names it
 */
export function scrollable(name: string | { titleId: string }): Html {
  const named = typeof name === 'string' ? html`aria-label="${name}"` : html`aria-labelledby="${name.titleId}"`;
  return html` class="scroll" tabindex="0" role="group" ${named}`;
}
