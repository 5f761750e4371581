/** The words of a text. Pure. */

/** Words and numbers with their decimals, such as `13.8`. */
const WORD = /\p{N}+(?:[.,]\p{N}+)*\p{L}*|\p{L}[\p{L}\p{M}\p{N}]*/gu;

/** A word longer than this is cut: no word is, so that it is a hostile one. */
const WORD_LENGTH = 40;

/** Lower case and compatible forms as one: full-width letters and digits are common in Japanese (Unicode NFKC). */
export function normalise(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** A possessive ending is dropped, other apostrophes joined: `ebay's` as `ebay`, `don't` as `dont`. */
export function withoutApostrophes(text: string): string {
  return text.replace(/['’]s(?![\p{L}\p{N}])/gu, '').replace(/['’]/g, '');
}

/** @param text as `normalise` returns it; @param limit of words */
export function wordsOf(text: string, limit: number): string[] {
  const words: string[] = [];
  for (const [word] of withoutApostrophes(text).matchAll(WORD)) {
    if (words.length === limit) break;
    if (word.length > 1 || /\p{N}/u.test(word)) words.push(word.slice(0, WORD_LENGTH));
  }
  return words;
}
