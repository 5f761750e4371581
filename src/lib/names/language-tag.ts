/** What an input that is no language tag must be. */
export const LANGUAGE_RULE = 'must be a BCP 47 language tag such as en or zh-Hans';

/** The canonical form of a language tag (BCP 47), such as `zh-Hans`. Null for other texts, such as `English`. */
export function parseLanguageTag(text: string): string | null {
  try {
    const [tag] = Intl.getCanonicalLocales(text);
    // No language has a code of four letters or more: such a word is the name of one.
    return tag !== undefined && /^[a-z]{2,3}(?:-|$)/.test(tag) ? tag : null;
  } catch {
    return null;
  }
}
