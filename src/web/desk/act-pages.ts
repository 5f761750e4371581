/**
 * The pages of acts: where a browser is led that asks for the address of an act, as it does when somebody loads the
 * answer to a refused act again. Pure.
 */
import type { DeskRoute } from './desk-route.ts';

/** An act whose address is no page, and the page above it; paths as routes have them. */
export interface PageOfAct {
  act: string;
  page: string;
}

/** The page of an act is the nearest one above it: `/deliveries/:id` of `/deliveries/:id/pause`. */
export function pagesOfActs(routes: readonly Pick<DeskRoute, 'method' | 'path'>[]): PageOfAct[] {
  const pages = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path));
  const acts = routes.filter(({ method, path }) => method === 'POST' && !pages.has(path));
  return acts.flatMap(({ path: act }) => {
    for (let page = parentOf(act); page !== null; page = parentOf(page)) {
      if (pages.has(page)) return [{ act, page }];
    }
    return [];
  });
}

/** Null of the uppermost path, which is empty. */
function parentOf(path: string): string | null {
  return path === '' ? null : path.slice(0, path.lastIndexOf('/'));
}

/**
 * The address of the page of an act.
 * @param pathname of the act, below the desk's path
 */
export function addressOfPage({ page }: PageOfAct, pathname: string): string {
  return pathname.split('/', page.split('/').length).join('/');
}
