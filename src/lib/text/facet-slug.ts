/** The slug of a tag, a kicker or a reporter's name, for URLs. */

/** No import accepts longer names. */
const MAX_NAME_LENGTH = 200;
const MAX_SLUG_LENGTH = 100;

// Accents and variation selectors. Other marks count as letters: without its vowel signs a word of Hindi or Thai is
// another word.
const DROPPED = /[\u0300-\u036f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
const WORDS = /[\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}]*/gu;

/**
 * `In Depth` becomes `in-depth`, `Zoë O’Hara` becomes `zoe-o-hara`, and `陈思` stays the same. Compatibility forms and
 * accents are resolved (NFKD), letters are lower case, and each run of characters that are neither letters nor digits
 * of any script becomes a hyphen; at most 100 characters. Different names may have the same slug, such as `C`, `C++`
 * and `C#`. Idempotent.
 * @returns not percent-encoded; null for a name without letters and digits, or with more than 200 characters
 */
export function facetSlug(name: string): string | null {
  if (name.length > MAX_NAME_LENGTH) return null;
  const slug = wordsOf(name).join('-').normalize('NFC');
  const cut = slug
    .slice(0, MAX_SLUG_LENGTH)
    .replace(/[\ud800-\udbff]$/, '')
    .replace(/-$/, '');
  return cut === '' ? null : cut;
}

function wordsOf(name: string): string[] {
  const plain = name.toWellFormed().normalize('NFKD').replace(DROPPED, '').toLowerCase().replace(DROPPED, '');
  return plain.match(WORDS) ?? [];
}
