/** Sentences that daywire wrote for operators, such as alerts and reasons, as a page shows them. */
import { ActionableError, withDeskWords } from '../../../core/actions.ts';
import { redactAddresses } from '../../../delivery/transport/redact-addresses.ts';
import type { DeskRequest } from '../desk-request.ts';
import { whenText } from './when.ts';

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

/** The name of an earlier revision in commands, such as `daily-roundup/2026-11-24@1`, is no address. */
const REVISION = /(\b[a-z0-9-]{1,64}\/\d{4}-\d\d-\d\d[a-z0-9-]{0,32}@\d{1,6}(?![\w@.-]))/;

/** The text with its instants in the publication's zone, and without email addresses. */
export function operatorText({ desk, at }: Pick<DeskRequest, 'desk' | 'at'>, text: string): string {
  return localInstants(withoutAddresses(text), at, desk.app.config.publication.zone);
}

/** The text without anything that looks like an email address. Pure. */
export function withoutAddresses(text: string): string {
  // Every second part is the name of a revision.
  return text
    .split(REVISION)
    .map((part, index) => (index % 2 === 1 ? part : redactAddresses(part)))
    .join('');
}

/** Writes the instants of a text (RFC 3339, UTC) as those of a page: `today 07:30`. Pure. */
export function localInstants(text: string, now: number, zone: string): string {
  return text.replace(INSTANT, (instant) => {
    const at = Date.parse(instant);
    return Number.isNaN(at) ? instant : whenText(at, now, zone);
  });
}

/** Text of a refusal, with the acts that the desk has for it. Pure. */
export function refusalText(error: Error): string {
  return error instanceof ActionableError ? withDeskWords(error.problem, error.actions) : error.message;
}

/**
 * A message of an operation as sentences, one for each line: each begins with a capital, unless with an id or an
 * address, and ends with a full stop. Pure.
 */
export function sentence(said: string | Error): string {
  const text = typeof said === 'string' ? said : refusalText(said);
  return text.split('\n').map(sentenceOf).join(' ');
}

function sentenceOf(line: string): string {
  const first = /^[^\s:.@/\d-]*[:.@/\d-]\S/.test(line) ? line : line.charAt(0).toUpperCase() + line.slice(1);
  return /[.!?…]$/u.test(first) ? first : `${first}.`;
}
