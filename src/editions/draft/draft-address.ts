/**
 * Addresses of an edition's pages, below the desk's path.
 */

import type { DeskRequest } from '../../web/desk/desk-request.ts';
import type { DraftTarget } from './draft-target.ts';

/** What an address names: a newsletter and the label of a slot. */
interface NamedSlot {
  newsletter: Pick<DraftTarget['newsletter'], 'id'>;
  slot: Pick<DraftTarget['slot'], 'label'>;
}

/** The page on which editors work. */
export function draftPath(target: NamedSlot): string {
  return `${closedPath(target)}/draft`;
}

/** The whole log of the draft. */
export function logPath(target: NamedSlot): string {
  return `${draftPath(target)}/log`;
}

/** What of the address chooses the preview, as a query. */
function previewQuery({ c }: DeskRequest): string {
  const chosen = (['view', 'scheme'] as const).flatMap((name) => {
    const value = c.req.query(name) ?? '';
    return /^[a-z]{1,10}$/.test(value) ? [[name, value] as [string, string]] : [];
  });
  return chosen.length === 0 ? '' : `?${new URLSearchParams(chosen)}`;
}

/** The page on which editors work, with the preview that the request has chosen. */
export function draftPage(request: DeskRequest, target: NamedSlot): string {
  return draftPath(target) + previewQuery(request);
}

/** The address of an act on that page, which leads back to the same preview. */
export function actPath(request: DeskRequest, target: NamedSlot, act: string): string {
  return `${draftPath(target)}/${act}${previewQuery(request)}`;
}

/** The page of the closed edition. */
export function closedPath({ newsletter, slot }: NamedSlot): string {
  return `/editions/${encodeURIComponent(newsletter.id)}/${encodeURIComponent(slot.label)}`;
}

/** Leads to the page of the newsletter's coming slot. */
export function nextPath(newsletter: string): string {
  return `/editions/${encodeURIComponent(newsletter)}/next`;
}

/** The page of an article. */
export function articlePath(id: string): string {
  return `/articles/${encodeURIComponent(id)}`;
}

/** The topic that changes with the decisions about an edition. */
export function draftTopic({ newsletter, slot }: NamedSlot): string {
  return `draft:${newsletter.id}/${slot.label}`;
}

/** The id of a story's row on the page. */
export function rowId(story: string): string {
  return `story-${story}`;
}
