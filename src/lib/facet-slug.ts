/**
 * How a tag, a kicker or a reporter's name stands in an address.
 */

/** What no import lets in has no slug, whoever wrote it into the store. */
const LONGEST_NAME = 200;
const LONGEST_SLUG = 100;

// Accents, and the selectors that choose between two drawings of one character. Other marks are letters in all but name: without
// its vowel signs a word of Hindi or Thai is another word.
const DROPPED = /[\u0300-\u036f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
const WORDS = /[\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}]*/gu;

/**
 * `In Depth` becomes `in-depth`, `Zoë O’Hara` becomes `zoe-o-hara`, and `陈思` stays: compatibility forms and accents are resolved
 * (NFKD), letters lower, and every run of anything but letters and digits, of any script, is one hyphen; at most 100 characters.
 * Different names may share a slug, as `C`, `C++` and `C#` do. A slug is its own slug.
 * @returns not percent-encoded; null where the name holds neither letter nor digit, or has more than 200 characters
 */
export function facetSlug(name: string): string | null {
  if (name.length > LONGEST_NAME) return null;
  const plain = name.toWellFormed().normalize('NFKD').replace(DROPPED, '').toLowerCase().replace(DROPPED, '');
  const slug = (plain.match(WORDS) ?? []).join('-').normalize('NFC');
  const cut = slug
    .slice(0, LONGEST_SLUG)
    .replace(/[\ud800-\udbff]$/, '')
    .replace(/-$/, '');
  return cut === '' ? null : cut;
}
