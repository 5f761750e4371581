/**
 * The list to choose a time zone from. Its four hundred options are the same for every reader, so they are rendered once; what is
 * chosen stands before them.
 */
import { zoneWords } from '../pages/schedule-words.ts';
import type { Site } from '../server/site.ts';
import { isOffered, placeOf, ZONE_GROUPS } from './zones.ts';

export interface ZoneSelect {
  chosen: { id: string; place: string } | null;
  /** What it means to choose none. */
  standard: string;
  /** HTML. */
  options: string;
}

// Rendered with every page, they took four fifths of its time (9 of 11 ms).
const options = new WeakMap<Site, Promise<string>>();

/** The list as templates show it. @param chosen a zone; empty for the publication's */
export async function zoneSelect(site: Site, chosen: string): Promise<ZoneSelect> {
  let rendered = options.get(site);
  if (rendered === undefined) {
    rendered = site.templates.html('pages/parts/zone-options.liquid', { groups: ZONE_GROUPS });
    options.set(site, rendered);
    // A template that fails is tried again, once it is mended.
    rendered.catch(() => options.delete(site));
  }
  return {
    chosen: chosen === '' ? null : { id: chosen, place: isOffered(chosen) ? placeOf(chosen) : chosen },
    standard: zoneWords(site.view.zone),
    options: await rendered,
  };
}
