/** Pages of a long list, by the key of their first or last row: no page counts or skips rows. */
import { html } from 'hono/html';
import type { DeskRequest, Html } from '../desk-request.ts';

export interface PagerLinks {
  /** The path of the list below the desk's path. */
  path: string;
  /** What all links keep, such as a filter. */
  query?: Record<string, string | undefined>;
  /** The key after which the next page begins; null on the last page. */
  older: string | null;
  /** Whether this page is the first one. */
  isFirst: boolean;
}

/** "First page" and "Older", as links; nothing for a list of one page. */
export function pager({ desk }: DeskRequest, { path, query = {}, older, isFirst }: PagerLinks): Html {
  if (isFirst && older === null) return html``;
  const address = (after: string | undefined): string => desk.base + path + queryText({ ...query, after });
  return html`<nav class="pager" aria-label="Pages of this list">${
    isFirst ? '' : html`<a href="${address(undefined)}">First page</a>`
  }${older === null ? '' : html`<a rel="next" href="${address(older)}">Older</a>`}</nav>`;
}

/** `?a=1&b=2` of what is defined and not empty; otherwise an empty text. */
export function queryText(query: Record<string, string | undefined>): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}
