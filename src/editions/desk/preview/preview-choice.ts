/**
 * What the preview of an edition shows. It is in the address of the page alone: `?view=desktop&scheme=dark`.
 */
import type { DeskRequest } from '../../../web/desk/desk-request.ts';
import { queryText } from '../../../web/desk/parts/pager.ts';

export interface PreviewChoice {
  view: 'phone' | 'desktop' | 'text';
  scheme: 'light' | 'dark';
}

/** The choice of the address; after an act, that of the page with the form, which the browser names as referrer. */
export function readChoice({ c }: Pick<DeskRequest, 'c'>): PreviewChoice {
  return chosenIn(c.req.query()) ?? chosenBefore(c.req.header('Referer')) ?? { view: 'phone', scheme: 'light' };
}

/** The query that an address lacks because an act led to it; an empty text if it lacks none. */
export function lostChoice({ c }: Pick<DeskRequest, 'c'>): string {
  const before = chosenIn(c.req.query()) === null ? chosenBefore(c.req.header('Referer')) : null;
  return before === null ? '' : choiceQuery(before);
}

/** Such as `?view=desktop&scheme=dark`. */
export function choiceQuery({ view, scheme }: PreviewChoice): string {
  return queryText({ view, scheme });
}

function chosenBefore(referrer: string | undefined): PreviewChoice | null {
  const url = URL.parse(referrer ?? '');
  return url === null ? null : chosenIn(Object.fromEntries(url.searchParams));
}

function chosenIn({ view, scheme }: Record<string, string>): PreviewChoice | null {
  if (view === undefined && scheme === undefined) return null;
  return {
    view: view === 'desktop' || view === 'text' ? view : 'phone',
    scheme: scheme === 'dark' ? 'dark' : 'light',
  };
}
