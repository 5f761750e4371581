/** What is stored with an edition so that its copies can be made without composing it again. Pure. */
import type { Article } from '../../articles/article.ts';
import { choiceFacets } from '../../articles/choice.ts';
import type { Draft } from '../draft/decisions.ts';
import { readingTimes } from '../rendering/edition-extras.ts';
import { type EditionView, numberedStories } from '../rendering/edition-view.ts';
import { editionPreheader } from '../rendering/headline.ts';
import type { RenderedEdition } from '../rendering/render.ts';
import type { LoadedStories } from '../selection/load-stories.ts';
import { groupReports, placedStories } from '../selection/selection.ts';
import type { CopySubjects, EditionSegments } from './copy.ts';
import type { Part } from './segments.ts';

/** The reports of each story, in display order: an event of several outlets is one story. */
function storyReports({ plan, placed }: LoadedStories) {
  const reports = placedStories(plan).map(({ block, story: { pinned } }, index) => {
    return { block, pinned, article: (placed[index] as LoadedStories['placed'][number]).article };
  });
  return groupReports(reports);
}

/**
 * @param preheaders texts for it in order of preference, with the article that they are of
 * @throws Error if the templates mark no segment for a story: all copies would show it
 */
export function buildSegments(
  loaded: LoadedStories,
  view: EditionView,
  { parts }: RenderedEdition,
  preheaders: readonly PreheaderText[],
): EditionSegments {
  const times = readingTimes(view);
  const stories = storyReports(loaded).map((reports, number) => ({
    articleId: reports[0]?.article.id ?? '',
    ...choiceFacets(reports.map(({ article }) => article)),
    isForAll: reports.some(({ pinned }) => pinned),
    minutes: times.stories[number] ?? 0,
  }));
  assertMarked(parts, stories.length);
  const lines = preheaders.map(({ articleId, text }) => ({
    story: articleId === null ? null : stories.findIndex((story) => story.articleId === articleId),
    text: editionPreheader([text]),
  }));
  return { stories, minutes: times.others, preheaders: lines.filter(({ text }) => text !== ''), ...parts };
}

/** @throws Error if a story has no segment in the HTML or the text: every copy would show it */
export function assertMarked(parts: RenderedEdition['parts'], count: number): void {
  for (const [name, some] of Object.entries(parts)) {
    if (new Set(markedStories(some)).size === count) continue;
    const file = name === 'html' ? '.mjml' : '.txt';
    throw new Error(
      `the ${file} template shows stories outside of {% segment any: story %}: a newsletter with choices needs it ` +
        '(docs/languages.md)',
    );
  }
}

/** Stories that have a segment of their own with a text. Contents and rules between stories depend on others, too. */
function markedStories(parts: readonly Part[]): number[] {
  return parts.flatMap((part) => {
    if (typeof part === 'string') return [];
    const hasText = part.parts.some((one) => typeof one === 'string');
    const own = hasText && 'any' in part.when && part.when.any.length === 1 ? part.when.any : [];
    return [...own, ...markedStories(part.parts)];
  });
}

/** A text that may be the preheader. */
export interface PreheaderText {
  /** Null if it is of no story. */
  articleId: string | null;
  text: string | null;
}

/** @param leading articles that it may name, most important first */
export function copySubjects(
  { decisions }: Draft,
  kicker: string,
  isCorrection: boolean,
  view: EditionView,
  leading: readonly Article[],
): CopySubjects {
  const ids = numberedStories(view).map(({ articleId }) => articleId);
  const stories = leading.map(({ id, headline, shortHeadline }) => ({
    story: ids.indexOf(id),
    headline,
    shortHeadline,
  }));
  return { own: decisions.subject, kicker, isCorrection, leading: stories };
}
