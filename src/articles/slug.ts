/** Slugs: the last part of an article's URL. */
import { hash } from 'node:crypto';

/** The form of a slug that a newsroom writes itself. */
export const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

const MAX_LENGTH = 80;

/** A slug from the headline, or from the id if most letters of the headline are not Latin and would be lost. */
export function slugFrom(headline: string, id: string): string {
  const slug = slugOf(headline);
  const letters = headline.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  const kept = slug.replaceAll('-', '').length;
  return kept > 0 && kept * 2 >= Math.min(letters, MAX_LENGTH) ? cutAtHyphen(slug) : slugOf(id);
}

/** Suggestions: as `slugFrom`, with the id appended, and with a hash of it, for ids such as `a.b` and `A-b`. */
export function slugsFrom(headline: string, id: string, language: string): string[] {
  // ä, ö and ü, also as two characters.
  const isGerman = /^de\b/i.test(language);
  const slug = slugFrom(isGerman ? headline.normalize('NFKD').replace(/([aou])\u0308/gi, '$1e') : headline, id);
  const suffix = slugOf(id);
  return [slug, slug === suffix ? slug : `${slug}-${suffix}`, `${slug}-${hash('sha256', id).slice(0, 12)}`];
}

/** Latin letters that are not a letter of ASCII with an accent. */
const LATIN: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', ı: 'i', þ: 'th' };

function slugOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[ßæœøđðłıþ]/g, (letter) => LATIN[letter] as string)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function cutAtHyphen(slug: string): string {
  if (slug.length <= MAX_LENGTH) return slug;
  const end = slug.lastIndexOf('-', MAX_LENGTH);
  return slug.slice(0, end > 0 ? end : MAX_LENGTH);
}
