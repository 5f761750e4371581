/**
 * Addresses of the roundup's pages, and how forms name story groups: by reports that the page showed, and the number of
 * the last command before. Pure.
 */
import { queryText } from '../../web/desk/parts/pager.ts';
import { GROUP_FILTERS, type GroupFilter } from '../story-groups/browse-groups.ts';
import type { GroupReference } from '../story-groups/change-groups.ts';
import type { GroupRank } from '../story-groups/rank-groups.ts';

export const LIMITS = [25, 50, 100, 200];
const USUAL_LIMIT = 50;
export const LEAST_OUTLETS = [1, 2, 3, 5, 10];
/** Characters of a word or a name in an address. */
const MAX_WORDS = 100;

/** What the list shows, as its address says it. */
export interface RoundupQuery {
  filter: GroupFilter;
  limit: number;
  after: GroupRank | null;
  words: string;
  /** A name; empty: any. */
  outlet: string;
  leastOutlets: number;
  /** Only what came since its last edition; empty: all of the window. */
  newsletter: string;
}

/** Text that is no value of a parameter counts as not given. */
export function parseListQuery(query: URLSearchParams): RoundupQuery {
  const [limit, outlets] = [Number(query.get('limit')), Number(query.get('outlets'))];
  const text = (name: string): string => (query.get(name) ?? '').slice(0, MAX_WORDS).toWellFormed().trim();
  return {
    filter: GROUP_FILTERS.find((name) => name === query.get('show')) ?? 'current',
    limit: LIMITS.includes(limit) ? limit : USUAL_LIMIT,
    after: parseRank(query.get('after') ?? ''),
    ...{ words: text('q'), outlet: text('outlet'), newsletter: text('newsletter') },
    leastOutlets: LEAST_OUTLETS.includes(outlets) ? outlets : 1,
  };
}

/** Below the desk's path. */
export function listPath(query: RoundupQuery): string {
  return `/roundup${queryText({ ...listParameters(query), after: query.after === null ? '' : rankKey(query.after) })}`;
}

/** Without the place in the list. */
export function listParameters(query: RoundupQuery): Record<string, string | undefined> {
  const { filter, limit, words, outlet, leastOutlets, newsletter } = query;
  return {
    ...{ q: words, show: filter === 'current' ? undefined : filter },
    ...{ outlet, outlets: leastOutlets === 1 ? undefined : String(leastOutlets), newsletter },
    limit: limit === USUAL_LIMIT ? undefined : String(limit),
  };
}

export function rankKey({ tier, score, id }: GroupRank): string {
  return `${tier}-${score}-${id}`;
}

function parseRank(key: string): GroupRank | null {
  const [, tier, score, id] = /^([012])-(\d{1,15})-(\d{1,15})$/.exec(key) ?? [];
  return tier === undefined ? null : { tier: Number(tier), score: Number(score), id: Number(id) };
}

/** The list that a form or a link leads back to: a value that is none leads to the usual list. */
export function parseBack(value: string): string {
  return listPath(parseBackQuery(value));
}

export function parseBackQuery(value: string): RoundupQuery {
  return parseListQuery(new URLSearchParams(value.split('?', 2)[1] ?? ''));
}

/** Path of a group, by its id or that of any of its reports. Below the desk's path. */
export function groupPath(id: number): string {
  return `/roundup/g${id}`;
}

/** `17,18,21` */
export function itemsText(items: readonly { id: number }[]): string {
  return items.map(({ id }) => id).join(',');
}

/** Reports of the largest group that anybody has seen are a few hundred. */
const MAX_ITEMS = 2_000;

/** @returns empty unless it is a list of ids */
export function parseItems(text: string): number[] {
  if (!/^\d{1,15}(?:,\d{1,15})*$/.test(text)) return [];
  return [...new Set(text.split(',', MAX_ITEMS).map(Number))];
}

/** What the form of a group names: the reports that its page showed, and what its editor has seen. */
export function referenceOf(form: URLSearchParams, group: number): GroupReference {
  const items = parseItems(form.get('items') ?? '');
  return { items: items.length === 0 ? [group] : items, seen: seenOf(form) };
}

/** Without a number, everything that others ever did is a conflict. */
export function seenOf(form: URLSearchParams): number {
  const value = form.get('seen') ?? '';
  return /^\d{1,15}$/.test(value) ? Number(value) : 0;
}
