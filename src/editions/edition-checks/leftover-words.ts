/** Words that authors leave where something is still to come: `TK`, `TODO`, `FIXME`, `lorem ipsum`. */
import { DRAFT_BLOCKS } from '../draft/decisions.ts';
import type { EditionView } from '../rendering/edition-view.ts';
import { type EditionProblem, isUrlKey, shownStories, stringsIn, type ViewString } from './edition-problem.ts';

interface LeftoverWord {
  /** As written. */
  word: string;
  /** With the text around it. */
  context: string;
  /** With the words that follow it, up to a comma. */
  beginning: string;
  /** It may be a name or a number, such as TK Maxx, or flight TK 1980. */
  mayBeName: boolean;
}

// Not inside of a word, an address or a handle: Tkachev, example.com/TK, @TK. Not lower-case `todo`, a Spanish word.
const START = '(?<![\\p{L}\\p{N}\\p{M}_/@#&=?.%-])';
const END = '(?![\\p{L}\\p{N}\\p{M}_])';
const WORDS = new RegExp(
  `${START}(?:(?:TK){1,4}|[Tt][Kk][Tt][Kk]|TODO|FIXME|[Ll](?:orem ipsum|OREM IPSUM))${END}`,
  'u',
);
const NAME_FOLLOWS = /^ ?[\p{Lu}\p{N}][\p{Ll}\p{N}]/u;

/** Characters shown on each side. */
const CONTEXT = 24;
/** Characters that are searched. No text of an edition is as long. */
const MAX_LENGTH = 100_000;

/** The first word of a text that seems to be left over, or null. */
export function findLeftoverWord(text: string): LeftoverWord | null {
  const found = WORDS.exec(text.slice(0, MAX_LENGTH));
  if (found === null) return null;
  const [word] = found;
  const end = found.index + word.length;
  const before = text.slice(Math.max(0, found.index - CONTEXT), found.index);
  const context = before + text.slice(found.index, end + CONTEXT);
  return {
    word,
    beginning: (/^[^,…]*/.exec(text.slice(found.index, end + CONTEXT))?.[0] ?? '').trim(),
    context: context.toWellFormed().replace(/\s+/g, ' ').trim(),
    mayBeName: word === 'TK' && NAME_FOLLOWS.test(text.slice(end, end + 3)),
  };
}

/** Not shown to subscribers as words. `html` has the text of `text`, or is read as such. */
const NO_TEXT = new Set(['articleId', 'lang', 'dir', 'email', 'role', 'kind', 'links', 'slot', 'newsletter']);
/** They repeat a part of stories, which the checks find there. */
const BLOCKS = new Set(['headline', ...DRAFT_BLOCKS, 'corrections']);

/** Finds leftover words in all that the edition shows. */
export function checkLeftoverWords(view: EditionView): EditionProblem[] {
  const problems: EditionProblem[] = [];
  const reported: string[] = [];
  for (const { place, story } of shownStories(view)) {
    for (const { keys, value } of texts(story)) {
      const found = findLeftoverWord(value);
      if (found === null) continue;
      reported.push(value);
      problems.push({ ...problemOf(found, `its ${nameOf(keys)}`), place });
    }
  }
  const others = Object.fromEntries(Object.entries(view).filter(([key]) => !BLOCKS.has(key)));
  for (const { keys, value } of texts(others)) {
    const found = findLeftoverWord(value);
    // The automatic subject and preheader repeat a headline and a dek, up to a comma or an ellipsis.
    if (found === null || reported.some((text) => text.includes(found.beginning))) continue;
    problems.push({ ...problemOf(found, `the ${nameOf(keys)}`), place: null });
  }
  return problems;
}

function texts(value: unknown): ViewString[] {
  return stringsIn(value).flatMap(({ keys, value: text }) => {
    if (keys.some((key) => NO_TEXT.has(key) || isUrlKey(key))) return [];
    // The same paragraph, with addresses.
    if (keys.at(-1) === 'text') return [];
    return { keys, value: keys.at(-1) === 'html' ? text.replace(/<[^>]*>/g, '') : text };
  });
}

function nameOf([key = 'text']: readonly string[]): string {
  return key === 'paragraphs' || key === 'sentences' ? 'text' : key;
}

function problemOf({ word, context, mayBeName }: LeftoverWord, where: string): Omit<EditionProblem, 'place'> {
  return {
    code: 'leftover-word',
    severity: mayBeName ? 'warning' : 'error',
    message: mayBeName
      ? `${where} contains "${word}", which may be a name: “${context}”`
      : `${where} still contains "${word}": “${context}”; write what was meant to follow`,
  };
}
