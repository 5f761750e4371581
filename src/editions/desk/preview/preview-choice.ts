/** What the page of an edition shows besides the edition: view, colors and copy of the mail, and words to find. */
import type { DeskRequest } from '../../../web/desk/desk-request.ts';
import { queryText } from '../../../web/desk/parts/pager.ts';

export const PREVIEW_VIEWS = ['phone', 'desktop', 'text', 'inbox'] as const;
export type PreviewView = (typeof PREVIEW_VIEWS)[number];

export interface PageChoice {
  view: PreviewView;
  scheme: 'light' | 'dark';
  /** A value of `copyOptions`; empty for the whole edition. */
  copy: string;
  /** Words of headlines; empty: nothing is looked for. */
  q: string;
}

const NO_CHOICE: PageChoice = { view: 'phone', scheme: 'light', copy: '', q: '' };

/** The choice of the address; after an act, that of the page with the form, which the browser names as referrer. */
export function readPreviewChoice({ c }: Pick<DeskRequest, 'c'>): PageChoice {
  return chosenIn(c.req.query()) ?? chosenBefore(c.req.header('Referer')) ?? NO_CHOICE;
}

/** The query that an address lacks because an act led to it; an empty text if it lacks none. */
export function lostChoice({ c }: Pick<DeskRequest, 'c'>): string {
  const before = chosenIn(c.req.query()) === null ? chosenBefore(c.req.header('Referer')) : null;
  return before === null ? '' : choiceQuery(before);
}

/** Such as `?view=desktop&scheme=dark`. */
export function choiceQuery({ view, scheme, copy, q }: PageChoice): string {
  return queryText({ view, scheme, copy, q });
}

function chosenBefore(referrer: string | undefined): PageChoice | null {
  const url = URL.parse(referrer ?? '');
  return url === null ? null : chosenIn(Object.fromEntries(url.searchParams));
}

function chosenIn({ view, scheme, copy, q }: Record<string, string>): PageChoice | null {
  if ([view, scheme, copy, q].every((one) => one === undefined)) return null;
  return {
    view: viewNamed(view),
    scheme: scheme === 'dark' ? 'dark' : 'light',
    copy: (copy ?? '').slice(0, 300),
    // PostgreSQL refuses U+0000.
    q: (q ?? '').replaceAll('\u0000', '').trim().slice(0, 300),
  };
}

export function viewNamed(name: string | undefined): PreviewView {
  return PREVIEW_VIEWS.find((one) => one === name) ?? 'phone';
}
