/** Terms of languages that put no spaces between words: Chinese, Japanese, Korean (in part), Thai. Pure. */

const UNSPACED = new Set(['ja', 'ko', 'th', 'zh']);

export function isUnspaced(language: string): boolean {
  return UNSPACED.has(language);
}

/** Particles and endings of Japanese are in hiragana; words that tell events apart rarely are. */
const HIRAGANA = /^\p{Script=Hiragana}+$/u;
const KATAKANA = /[\p{Script=Katakana}ー]{2,}/gu;
const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Thai}\p{M}]{2,}/gu;

/**
 * Words as the dictionary of ICU splits them, runs of katakana as one word each, and pairs of adjacent characters of
 * other scripts: names that no dictionary has are split differently in each title, and their pairs still match.
 * @param text as `normalise` returns it
 * @param limit of terms
 */
export function unspacedTerms(text: string, language: string, limit: number): string[] {
  const terms = new Set<string>();
  for (const { segment, isWordLike } of segmenterOf(language).segment(text)) {
    if (isWordLike && isTelling(segment)) terms.add(segment);
  }
  for (const [run] of text.matchAll(KATAKANA)) terms.add(run);
  for (const [run] of text.matchAll(IDEOGRAPHS)) {
    const characters = [...run];
    for (const [index, character] of characters.slice(1).entries()) terms.add(`${characters[index]}${character}`);
  }
  return [...terms].slice(0, limit);
}

function isTelling(word: string): boolean {
  if (HIRAGANA.test(word) || /\p{Script=Katakana}/u.test(word)) return false;
  return word.length > 1 || /\p{N}/u.test(word);
}

const segmenters = new Map<string, Intl.Segmenter>();

function segmenterOf(language: string): Intl.Segmenter {
  let segmenter = segmenters.get(language);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(language, { granularity: 'word' });
    segmenters.set(language, segmenter);
  }
  return segmenter;
}
