/** The language of a title: its script where that tells, otherwise what the feed says. Pure. */

/** A title of which neither script nor feed tells the language. */
const UNKNOWN_LANGUAGE = 'und';

/** Scripts that one language of news uses, or in which words cannot be told apart by spaces. */
const BY_SCRIPT: readonly (readonly [RegExp, string])[] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, 'ja'],
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Thai}/gu, 'th'],
];

/** Share of the letters that makes a script the one of the title: titles name foreign companies in Latin letters. */
const SCRIPT_SHARE = 0.2;

/** What is read of a title, in UTF-16 units. */
const LENGTH = 300;

/**
 * @param tag BCP 47, such as `en-GB`; anything else counts as none
 * @returns a primary language, such as `en`. Many feeds in Chinese or Japanese call themselves English, so that the
 *   script decides first. A title in Han characters alone is Japanese only if its feed is.
 */
export function titleLanguage(title: string, tag: string | null): string {
  const primary = /^([a-z]{2,3})(?:[-_]|$)/i.exec(tag ?? '')?.[1]?.toLowerCase() ?? UNKNOWN_LANGUAGE;
  const beginning = title.slice(0, LENGTH);
  const letters = count(beginning, /\p{L}/gu);
  for (const [script, language] of BY_SCRIPT) {
    if (count(beginning, script) <= letters * SCRIPT_SHARE) continue;
    return language === 'zh' && primary === 'ja' ? 'ja' : language;
  }
  return BY_SCRIPT.some(([, language]) => language === primary) ? UNKNOWN_LANGUAGE : primary;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
