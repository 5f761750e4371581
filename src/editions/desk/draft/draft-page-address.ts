/**
 * Addresses of the page on which editors work, and of its acts, below the desk's path.
 */
import type { DeskRequest } from '../../../web/desk/desk-request.ts';
import { draftPath, type NamedSlot } from '../../draft/draft-address.ts';

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

/** The id of a story's row on the page. */
export function rowId(story: string): string {
  return `story-${story}`;
}
