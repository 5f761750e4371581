/**
 * Where archives have an article, in one short text, such as `1:12 3:0`: for each archive, by its number, the page, or
 * 0 while the article is on no page yet. Pure.
 */

/** Numbers of archives, and the page or 0. */
export type Places = Map<number, number>;

/** Waiting for a page. */
export const NO_PAGE = 0;

/** @param text of `archive_places.places`; undefined for an article that no archive has */
export function parsePlaces(text: string | undefined): Places {
  const places: Places = new Map();
  for (const place of text === undefined || text === '' ? [] : text.split(' ')) {
    const [archive, page] = place.split(':');
    places.set(Number(archive), Number(page));
  }
  return places;
}

/** Same places, same text. */
export function writePlaces(places: Places): string {
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([archive, page]) => `${archive}:${page}`)
    .join(' ');
}
