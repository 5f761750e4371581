/** Terms of languages that put no spaces between words: Chinese, Japanese, Korean (in part), Thai. Pure. */

const UNSPACED = new Set(['ja', 'ko', 'th', 'zh']);

export function isUnspaced(language: string): boolean {
  return UNSPACED.has(language);
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

/** Particles and endings of Japanese are in hiragana; words that tell events apart rarely are. */
const HIRAGANA = /^\p{Script=Hiragana}+$/u;
const RUN = /[\p{Script=Han}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{M}ー]{2,}/gu;

/**
 * Words as the dictionary of ICU splits them, and pairs of adjacent characters: names that no dictionary has are split
 * differently in each title, and their pairs still match.
 * @param text as `normalise` returns it
 * @param limit of words, and of pairs
 */
export function unspacedTerms(text: string, language: string, limit: number): string[] {
  const terms: string[] = [];
  for (const { segment, isWordLike } of segmenterOf(language).segment(text)) {
    if (terms.length === limit) break;
    if (isWordLike && !HIRAGANA.test(segment) && (segment.length > 1 || /\p{N}/u.test(segment))) terms.push(segment);
  }
  const pairs: string[] = [];
  for (const [run] of text.matchAll(RUN)) {
    const characters = [...run];
    for (let index = 1; index < characters.length && pairs.length < limit; index++) {
      pairs.push(`${characters[index - 1]}${characters[index]}`);
    }
  }
  return [...terms, ...pairs.filter((pair) => !terms.includes(pair))];
}
