/** Language tags (BCP 47), and the names of languages that people write instead. Pure. */

/**
 * @param text such as `en`, `zh-Hans` or, by mistake, `English`
 * @returns the tag in its canonical form, or a rule that says what would be right
 */
export function parseLanguageTag(text: string): { kind: 'tag'; tag: string } | { kind: 'unclear'; rule: string } {
  const [tag] = canonical(text);
  // No language has a code of four letters or more: such a word is the name of one.
  if (tag !== undefined && /^[a-z]{2,3}(?:-|$)/.test(tag)) return { kind: 'tag', tag };
  const meant = codeOf(text);
  const rule = 'must be a BCP 47 language tag such as en or zh-Hans';
  return { kind: 'unclear', rule: meant === null ? rule : `${rule}: did you mean ${meant}?` };
}

function canonical(text: string): string[] {
  try {
    return Intl.getCanonicalLocales(text);
  } catch {
    return [];
  }
}

const LETTERS = Array.from({ length: 26 }, (_, index) => String.fromCharCode(97 + index));

/** Codes of two letters, by the names of their languages in English and in the language itself. */
let codes: Map<string, string> | null = null;

function codeOf(name: string): string | null {
  codes ??= languageNames();
  return codes.get(name.trim().toLowerCase()) ?? null;
}

function languageNames(): Map<string, string> {
  const names = new Map<string, string>();
  const english = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
  for (const code of LETTERS.flatMap((first) => LETTERS.map((second) => first + second))) {
    const name = english.of(code);
    // An old code, such as iw, has the name of the present one.
    if (name === undefined || canonical(code)[0] !== code) continue;
    names.set(name.toLowerCase(), code);
    if (Intl.DisplayNames.supportedLocalesOf(code).length === 0) continue;
    const own = new Intl.DisplayNames([code], { type: 'language', fallback: 'none' }).of(code);
    if (own !== undefined) names.set(own.toLowerCase(), code);
  }
  return names;
}
