/**
 * The list to choose a time zone from. Its four hundred options are the same for every reader, so they are rendered once; what is
 * chosen stands before them.
 */
import { zoneWords } from '../pages/schedule-words.ts';
import type { WebContext } from '../server/web-context.ts';
import { isOffered, placeOf, ZONE_GROUPS } from './time-zones.ts';

export interface ZoneSelect {
  chosen: { id: string; place: string } | null;
  /** What it means to choose none. */
  standard: string;
  /** HTML. */
  options: string;
}

// Rendered with every page, they took four fifths of its time (9 of 11 ms).
const options = new WeakMap<WebContext, Promise<string>>();

/** The list as templates show it. @param chosen a zone; empty for the publication's */
export async function zoneSelect(web: WebContext, chosen: string): Promise<ZoneSelect> {
  let rendered = options.get(web);
  if (rendered === undefined) {
    rendered = web.templates.html('pages/parts/zone-options.liquid', { groups: ZONE_GROUPS });
    options.set(web, rendered);
    // A template that fails is tried again, once it is mended.
    rendered.catch(() => options.delete(web));
  }
  return {
    chosen: chosen === '' ? null : { id: chosen, place: isOffered(chosen) ? placeOf(chosen) : chosen },
    standard: zoneWords(web.view.zone),
    options: await rendered,
  };
}
