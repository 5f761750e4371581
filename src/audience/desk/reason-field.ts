/**
 * Why somebody does something that is recorded: a line for the audit log, which holds no address.
 */
import { boundedLine } from '../../lib/text/clean-text.ts';
import type { DeskRequest, Html } from '../../web/desk/desk-request.ts';
import { textField } from '../../web/desk/parts/form.ts';
import { maskAddressesIn } from '../search/mask-in.ts';

const LIMIT = 200;

export type TypedReason = { kind: 'given'; text: string } | { kind: 'missing'; error: string };

/** Addresses in it are masked. */
export function readReason({ form }: DeskRequest): TypedReason {
  const text = maskAddressesIn(boundedLine((form.get('reason') ?? '').slice(0, 4 * LIMIT), LIMIT));
  if (text !== '') return { kind: 'given', text };
  return { kind: 'missing', error: 'Not done: say why, such as "asked by phone to be mailed again".' };
}

export function reasonField({ form }: DeskRequest, error?: string): Html {
  return textField({
    ...{ name: 'reason', label: 'Reason', hint: 'For the audit log; without an address.', required: true },
    ...{ maxLength: LIMIT, error, value: error === undefined ? '' : (form.get('reason') ?? '').slice(0, LIMIT) },
  });
}
