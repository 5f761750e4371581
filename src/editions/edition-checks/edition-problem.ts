/**
 * Problems of an edition, for an editor before it goes out. An error would embarrass the newsroom or break the law;
 * a warning may be intended. Neither stops an edition.
 */
import type { EditionView, StoryLine } from '../rendering/edition-view.ts';
import type { Block } from '../selection/selection.ts';

export type ProblemCode =
  | 'dead-link'
  | 'empty-block'
  | 'large-html'
  | 'leftover-word'
  | 'long-subject'
  | 'missing-alt-text'
  | 'no-imprint-link'
  | 'no-postal-address'
  | 'no-unsubscribe-link'
  | 'repeated-story'
  | 'unchecked-link';

export interface EditionProblem {
  /** Stable, for programs. */
  code: ProblemCode;
  severity: 'error' | 'warning';
  /** What is wrong, and what would be right. */
  message: string;
  /** Null for a problem of the whole edition. */
  place: ProblemPlace | null;
}

export interface ProblemPlace {
  block: Block | 'corrections';
  /** Null for a block without stories. */
  articleId: string | null;
  headline: string | null;
}

/** A part of the view that is about one article. */
interface ShownStory {
  place: ProblemPlace;
  /** As its block shows it, with the texts and links of that block. */
  story: Pick<StoryLine, 'articleId' | 'headline' | 'url'>;
}

/** The stories and corrections that the templates get, in the order of the blocks. */
export function shownStories(view: EditionView): ShownStory[] {
  const { lead, news, analysis, roundup, latest, corrections } = view;
  const inBlock = (block: ProblemPlace['block'], stories: ShownStory['story'][]): ShownStory[] =>
    stories.map((story) => ({ place: { block, articleId: story.articleId, headline: story.headline }, story }));
  return [
    ...inBlock('lead', lead === null ? [] : [lead]),
    ...inBlock('news', news),
    ...inBlock('analysis', analysis),
    ...inBlock('roundup', roundup),
    ...inBlock('latest', latest),
    ...inBlock('corrections', corrections),
  ];
}

/** A string of a view, with the keys that lead to it; those of lists are omitted: `related`, `title`. */
export interface ViewString {
  keys: readonly string[];
  value: string;
}

/** Lists the strings inside a value, in order. */
export function stringsIn(value: unknown, keys: readonly string[] = []): ViewString[] {
  if (typeof value === 'string') return [{ keys, value }];
  if (Array.isArray(value)) return value.flatMap((item) => stringsIn(item, keys));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, [...keys, key]));
}

/** Whether strings of that key are addresses: `url`, `headlineUrl`. */
export function isUrlKey(key: string): boolean {
  return /(?:^url|Url)$/.test(key);
}
