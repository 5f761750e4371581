/**
 * Addresses, and texts that may quote them, as the account may see them.
 */
import { html } from 'hono/html';
import { maskAddress } from '../../lib/mask-address.ts';
import type { DeskRequest, Html } from '../../web/desk/desk-request.ts';
import { maskIn } from '../search/mask-in.ts';

/** An address; masked without `audience.addresses`. */
function shownAddress(request: DeskRequest, email: string): string {
  return request.may('audience.addresses') ? email : maskAddress(email);
}

/** As HTML: an address that is written from right to left does not turn the text around it. */
export function addressHtml(request: DeskRequest, email: string): Html {
  return html`<bdi class="break">${shownAddress(request, email)}</bdi>`;
}

/** A text of others about a subscriber, such as a server's reply or the name of a file. Null stays empty. */
export function shownText(request: DeskRequest, text: string | null, email: string): string {
  if (text === null) return '';
  return request.may('audience.addresses') ? text : maskIn(text, email);
}
