/** What is stored with an edition so that its copies can be made without composing it again. Pure. */
import { choiceFacets } from '../../articles/choice.ts';
import type { Draft } from '../draft/decisions.ts';
import { readingTimes } from '../rendering/edition-extras.ts';
import type { EditionView } from '../rendering/edition-view.ts';
import { editionPreheader } from '../rendering/headline.ts';
import type { RenderedEdition } from '../rendering/render.ts';
import type { LoadedStories } from '../selection/load-stories.ts';
import type { RankingRules, StoryCandidate } from '../selection/ranking.ts';
import { membersOf } from '../selection/ranking.ts';
import { rankedStories } from '../selection/selection.ts';
import type { CopySubjects, EditionSegments } from './copy.ts';
import type { Part } from './segments.ts';

/** The reports of each story, in display order: an event of several outlets is one story. */
function storyReports({ plan: { lead, news, analysis, roundup, latest } }: LoadedStories): StoryCandidate[][] {
  const alone = (story: StoryCandidate): StoryCandidate[] => [story];
  return [
    ...(lead === null ? [] : [[lead]]),
    ...news.map(alone),
    ...analysis.map(alone),
    ...roundup.map(membersOf),
    ...latest.map(alone),
  ];
}

/**
 * @param preheaders texts for it in order of preference, with the article that they are of
 * @throws Error if the templates mark no segment for a story: all copies would show it
 */
export function buildSegments(
  stories: LoadedStories,
  view: EditionView,
  { parts }: RenderedEdition,
  preheaders: readonly PreheaderText[],
): EditionSegments {
  const reports = storyReports(stories);
  const articles = new Map(stories.placed.map(({ article }) => [article.id, article]));
  const times = readingTimes(view);
  assertMarked(parts, reports.length);
  const numbers = numbersOf(reports);
  return {
    stories: reports.map((members, number) => ({
      articleId: members[0]?.id ?? '',
      ...choiceFacets(members.flatMap(({ id }) => articles.get(id) ?? [])),
      isForAll: members.some(({ pinned }) => pinned),
      minutes: times.stories[number] ?? 0,
    })),
    minutes: times.others,
    preheaders: preheaders.flatMap(({ articleId, text }) => {
      const line = editionPreheader([text]);
      return line === '' ? [] : { story: articleId === null ? null : (numbers.get(articleId) ?? null), text: line };
    }),
    ...parts,
  };
}

/** @throws Error if a story has no segment in the HTML or the text: every copy would show it */
export function assertMarked(parts: RenderedEdition['parts'], count: number): void {
  for (const [name, some] of Object.entries(parts)) {
    const marked = new Set(markedStories(some));
    if (Array.from({ length: count }, (_, number) => number).every((number) => marked.has(number))) continue;
    const file = name === 'html' ? '.mjml' : '.txt';
    throw new Error(
      `the ${file} template shows stories outside of {% segment any: story %}: a newsletter with choices needs it ` +
        '(docs/languages.md)',
    );
  }
}

/** Stories that have a segment of their own. */
function markedStories(parts: readonly Part[]): number[] {
  return parts.flatMap((part) => {
    if (typeof part === 'string') return [];
    const own = 'any' in part.when && part.when.any.length === 1 ? part.when.any : [];
    return [...own, ...markedStories(part.parts)];
  });
}

/** A text that may be the preheader. */
export interface PreheaderText {
  /** Null if it is of no story. */
  articleId: string | null;
  text: string | null;
}

export function copySubjects(
  { decisions }: Draft,
  kicker: string,
  isCorrection: boolean,
  stories: LoadedStories,
  rules: RankingRules,
): CopySubjects {
  const numbers = numbersOf(storyReports(stories));
  const articles = new Map(stories.placed.map(({ article }) => [article.id, article]));
  const leading = rankedStories(stories.plan, rules).flatMap(({ id }) => {
    const article = articles.get(id);
    const story = numbers.get(id);
    if (article === undefined || story === undefined) return [];
    return { story, headline: article.headline, shortHeadline: article.shortHeadline };
  });
  return { own: decisions.subject, kicker, isCorrection, leading };
}

/** The number of each story, by the id of its first report. */
function numbersOf(reports: readonly StoryCandidate[][]): Map<string, number> {
  return new Map(reports.map(([first], number) => [first?.id ?? '', number]));
}
