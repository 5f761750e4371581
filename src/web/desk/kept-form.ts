/**
 * A form that was posted without a session. Its text travels in hidden fields through the pages of the sign-in, which
 * post it to its own address again: there it is shown and not carried out. Nothing of it is stored.
 */
import { html } from 'hono/html';
import { fieldWords, repeatableFields } from './confirm-password.ts';
import type { Html, SignedInRequest } from './desk-request.ts';
import type { DeskRoute } from './desk-route.ts';
import { respondPage } from './page.ts';
import { hiddenFields, submitButton } from './parts/form.ts';

/** The field with the address of the form, before its fields. */
export const KEPT_ADDRESS = 'kept';
const PREFIX = 'kept-';

/** Fields that nobody has typed. */
const HIDDEN = ['unsaved', 'seen', 'shown', 'items', 'back', 'hash'];

/** Bytes and fields of a form that is kept: anybody can post one, and gets a page that is as long. */
export const KEPT_LIMIT = 512 * 1024;
export const MAX_KEPT_FIELDS = 2_000;

/** The form as the pages of the sign-in carry it, without its secrets. @param address path, not decoded as Hono's is */
export function keepForm(address: string, form: URLSearchParams): URLSearchParams {
  const fields = repeatableFields(form).map(([name, value]): [string, string] => [PREFIX + name, value]);
  return new URLSearchParams([[KEPT_ADDRESS, address], ...fields]);
}

/** The part of a form of the sign-in that belongs to a kept form. */
export function keptFields(form: URLSearchParams): Html[] {
  const kept = [...form].filter(([name]) => name === KEPT_ADDRESS || name.startsWith(PREFIX));
  return kept.slice(0, MAX_KEPT_FIELDS + 1).flatMap(([name, value]) => hiddenFields({ [name]: value }));
}

/** The kept form as it was posted; null if there is none. */
export function readKeptForm(form: URLSearchParams): URLSearchParams | null {
  if (!form.has(KEPT_ADDRESS)) return null;
  const kept = [...form].filter(([name]) => name.startsWith(PREFIX));
  return new URLSearchParams(kept.map(([name, value]): [string, string] => [name.slice(PREFIX.length), value]));
}

/**
 * Shows a form that was not carried out to the account that is signed in.
 * @param about `problem` is why it cannot be sent again, `other` the name of the account whose page it was on
 */
export async function showAgain(
  route: DeskRoute,
  request: SignedInRequest,
  { problem, other }: { problem: string | undefined; other: string | undefined },
): Promise<Response> {
  const { account, c, form } = request;
  const begin = other === undefined ? 'You' : `This page was opened by ${other}, and you`;
  const next = other === undefined ? 'send it again' : 'send it only if it should be done in your name';
  const advice = problem ?? `Nothing has been saved yet. Look at it, and ${next}.`;
  const notice = { kind: 'problem', text: `${begin} are signed in as ${account.name}. ${advice}` } as const;
  const shown = problem === undefined && route.needs !== null ? await route.again?.({ ...request, notice }) : undefined;
  if (shown?.status === 200 || shown?.status === 422) return shown;
  const fields = repeatableFields(form);
  const label = other === undefined ? 'Send it again' : `Send it as ${account.name}`;
  const status = problem !== undefined ? 403 : other !== undefined ? 409 : 200;
  const again = html`<form method="post" action="${c.req.path}" data-plain>
${fields.flatMap(([name, value]) => hiddenFields({ [name]: value }))}
<div class="buttons">${submitButton(label, { primary: true, id: 'send-again' })}
<a class="button" href="${request.desk.base}">Leave it</a></div></form>`;
  return respondPage(
    { ...request, notice },
    {
      ...{ title: 'Not done yet', section: null, status },
      body: html`<dl class="pairs">${fields
        .filter(([name, value]) => !HIDDEN.includes(name) && value !== '')
        .map(
          ([name, value]) => html`<dt>${fieldWords(name)}</dt><dd class="break" dir="auto"><pre>${value}</pre></dd>`,
        )}</dl>${problem === undefined ? again : ''}`,
    },
  );
}
