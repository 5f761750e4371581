/** Searches subscribers by address: a range of an index in the order of the keys, page by page, without counting. */
import { domainToASCII } from 'node:url';
import type { Db } from '../../core/store/store.ts';
import { parseAddress } from '../../lib/address.ts';
import { withSubscriptions } from '../subscriptions.ts';

/** Characters of a prefix; an address has no more. */
const MAX_PREFIX = 254;

export type AddressSearch =
  | { kind: 'address'; key: string }
  /** Addresses that begin with it. */
  | { kind: 'prefix'; prefix: string }
  | { kind: 'invalid'; reason: string };

/**
 * What a person typed: a whole address, or the beginning of one. Keys are in lower case and ASCII.
 * @param mayPrefix false for those who may not see addresses: prefixes would spell them letter by letter
 */
export function parseSearch(text: string, mayPrefix: boolean): AddressSearch {
  const typed = text.trim();
  if (typed === '') return { kind: 'invalid', reason: 'enter an address' };
  const address = parseAddress(typed);
  if (!mayPrefix) {
    return address.kind === 'valid'
      ? { kind: 'address', key: address.key }
      : { kind: 'invalid', reason: `enter a whole address, such as name@example.com: ${address.reason}` };
  }
  if (typed.length > MAX_PREFIX) return { kind: 'invalid', reason: `it is longer than ${MAX_PREFIX} characters` };
  const prefix = asciiPrefix(typed);
  if (prefix === null) return { kind: 'invalid', reason: 'no address begins with these characters' };
  return { kind: 'prefix', prefix };
}

/** In lower case, with the domain in A-labels where that is possible; null if no key can begin with it. */
function asciiPrefix(typed: string): string | null {
  const at = typed.lastIndexOf('@');
  const domain = typed.slice(at + 1);
  const ascii = at >= 0 && /[^\u0000-\u007f]/.test(domain) && !/[\u0000-\u002c/:-@[-`{-\u007f]/.test(domain);
  const prefix = (ascii ? typed.slice(0, at + 1) + domainToASCII(domain) : typed).toLowerCase();
  return /^[\u0021-\u007e]+$/.test(prefix) ? prefix : null;
}

/**
 * One page of what a search finds.
 * @param page.after id of the last subscriber of the page before; an erased one begins again
 * @returns subscribers in the order of their addresses; `next`: the id of the last one, if there may be more
 */
export async function searchSubscribers(
  db: Db,
  search: Exclude<AddressSearch, { kind: 'invalid' }>,
  { after, limit }: { after: number | null; limit: number },
) {
  // After "~" (7E) no key continues: all are ASCII, and both databases compare bytes.
  const [from, until] =
    search.kind === 'address' ? [search.key, search.key] : [search.prefix, `${search.prefix}\u007f`];
  const last =
    after === null
      ? undefined
      : await db.selectFrom('subscribers').select('email_key').where('id', '=', after).executeTakeFirst();
  const rows = await db
    .selectFrom('subscribers')
    .selectAll()
    .where('email_key', '>=', from)
    .where('email_key', '<=', until)
    .$if(last !== undefined, (q) => q.where('email_key', '>', last?.email_key as string))
    .orderBy('email_key')
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  return {
    subscribers: await withSubscriptions(db, shown),
    next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
  };
}
