/** What the page of an edition shows besides the edition: a view of the mail, a color scheme, and words to find. */
import type { DeskRequest } from '../../../web/desk/desk-request.ts';
import { queryText } from '../../../web/desk/parts/pager.ts';

export const PREVIEW_VIEWS = ['phone', 'desktop', 'text', 'inbox'] as const;
export type PreviewView = (typeof PREVIEW_VIEWS)[number];

export interface PageChoice {
  view: PreviewView;
  scheme: 'light' | 'dark';
  /** Words of headlines; empty: nothing is looked for. */
  q: string;
}

/** The choice of the address; after an act, that of the page with the form, which the browser names as referrer. */
export function readPreviewChoice({ c }: Pick<DeskRequest, 'c'>): PageChoice {
  return chosenIn(c.req.query()) ?? chosenBefore(c.req.header('Referer')) ?? { view: 'phone', scheme: 'light', q: '' };
}

/** The query that an address lacks because an act led to it; an empty text if it lacks none. */
export function lostChoice({ c }: Pick<DeskRequest, 'c'>): string {
  const before = chosenIn(c.req.query()) === null ? chosenBefore(c.req.header('Referer')) : null;
  return before === null ? '' : choiceQuery(before);
}

/** Such as `?view=desktop&scheme=dark`. */
export function choiceQuery({ view, scheme, q }: PageChoice): string {
  return queryText({ view, scheme, q });
}

function chosenBefore(referrer: string | undefined): PageChoice | null {
  const url = URL.parse(referrer ?? '');
  return url === null ? null : chosenIn(Object.fromEntries(url.searchParams));
}

function chosenIn({ view, scheme, q }: Record<string, string>): PageChoice | null {
  if (view === undefined && scheme === undefined && q === undefined) return null;
  return {
    view: viewNamed(view),
    scheme: scheme === 'dark' ? 'dark' : 'light',
    // PostgreSQL refuses U+0000.
    q: (q ?? '').replaceAll('\u0000', '').trim().slice(0, 300),
  };
}

export function viewNamed(name: string | undefined): PreviewView {
  return PREVIEW_VIEWS.find((one) => one === name) ?? 'phone';
}
