/**
 * The last part of an article's address.
 */

/** What a slug that a newsroom writes itself must look like. */
export const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

const LONGEST = 80;

/**
 * A slug from the headline; from the id where the headline is mostly of another script than Latin, whose letters would be lost.
 */
export function slugFrom(headline: string, id: string): string {
  const slug = slugOf(headline);
  const letters = headline.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  const kept = slug.replaceAll('-', '').length;
  return kept > 0 && kept * 2 >= Math.min(letters, LONGEST) ? cutAtHyphen(slug) : slugOf(id);
}

/** The same, told apart by the id: for a headline that another article had before. */
export function slugWithId(headline: string, id: string): string {
  const slug = slugFrom(headline, id);
  const suffix = slugOf(id);
  return slug === suffix ? slug : `${slug}-${suffix}`;
}

function slugOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function cutAtHyphen(slug: string): string {
  if (slug.length <= LONGEST) return slug;
  const end = slug.lastIndexOf('-', LONGEST);
  return slug.slice(0, end > 0 ? end : LONGEST);
}
