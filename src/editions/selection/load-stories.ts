/**
 * Selects stories, reads them and builds their views. A story that cannot be shown is rejected with a reason, and the
 * selection is repeated without it: its place goes to the next candidate, and the edition still goes out.
 */
import { type Article, isPublic } from '../../articles/article.ts';
import { otherOutlets } from '../../articles/outlets.ts';
import type { Rejection } from '../../articles/rejections.ts';
import { readableJson, toArticle } from '../../articles/stored-document.ts';
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import { editionLocale } from '../../core/config/site-view.ts';
import type { Db } from '../../core/store/store.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import type { EditionView, NewsLine, RoundupItem, Story, StoryLine } from '../rendering/edition-view.ts';
import {
  EXCERPT_LIMITS,
  type ExcerptLength,
  toNewsLine,
  toRoundupItem,
  toStory,
  toStoryLine,
} from '../rendering/story-view.ts';
import { findUnparsedArticles, type UnparsedArticle } from './candidates.ts';
import type { StoryCandidate } from './ranking.ts';
import {
  type Block,
  type EditionPlan,
  leadingStories,
  placedStories,
  type SelectionRules,
  type StoryDecisions,
  selectStories,
} from './selection.ts';

interface PlacedStory {
  block: Block;
  article: Article;
  stored: UnparsedArticle;
  view: StoryLine;
}

export interface LoadedStories {
  plan: EditionPlan;
  /** In display order. */
  placed: PlacedStory[];
  rejected: Rejection[];
  /** All candidates except those that turned out not to be showable. */
  candidates: StoryCandidate[];
}

export interface LoadOptions {
  config: Config;
  newsletter: NewsletterConfig;
  rules: SelectionRules;
  decisions: StoryDecisions;
  now: number;
  excerpts: ExcerptLength;
}

/** Selects and reads stories until every selected story can be shown. */
export async function loadStories(db: Db, candidates: StoryCandidate[], options: LoadOptions): Promise<LoadedStories> {
  const documents = new Map<string, UnparsedArticle>();
  const rejected: Rejection[] = [];
  let remaining = candidates;
  for (;;) {
    const plan = selectStories(remaining, options.rules, options.decisions);
    const stories = placedStories(plan);
    const unread = stories.map(({ story }) => story.id).filter((id) => !documents.has(id));
    for (const [id, stored] of await findUnparsedArticles(db, unread)) documents.set(id, stored);
    const attempts = stories.map(({ block, story }) => tryToShow(block, documents.get(story.id), options));
    if (attempts.every((attempt) => attempt.kind === 'shown'))
      return { plan, placed: attempts, rejected, candidates: remaining };

    const failed = new Set(
      stories.filter((_, index) => attempts[index]?.kind !== 'shown').map(({ story }) => story.id),
    );
    remaining = remaining.filter((candidate) => !failed.has(candidate.id));
    rejected.push(...attempts.flatMap((attempt) => (attempt.kind === 'rejected' ? [attempt.rejection] : [])));
  }
}

/** The stories of each block, for the templates. */
export function storyBlocks({
  plan,
  placed,
}: LoadedStories): Pick<EditionView, 'lead' | 'news' | 'analysis' | 'roundup' | 'latest'> {
  const inBlock = <T extends StoryLine>(block: Block): T[] =>
    placed.filter((story) => story.block === block).map((story) => story.view as T);
  const stories = new Map(placed.map((story) => [story.article.id, story]));
  const storyOf = ({ id }: StoryCandidate): PlacedStory => stories.get(id) as PlacedStory;
  return {
    lead: inBlock<Story>('lead')[0] ?? null,
    news: inBlock<NewsLine>('news'),
    analysis: inBlock<Story>('analysis'),
    roundup: plan.roundup.map(({ first, also }) => {
      const reports = [first, ...also].map((one) => storyOf(one).article);
      return { ...(storyOf(first).view as RoundupItem), also: otherOutlets(reports) };
    }),
    latest: inBlock('latest'),
  };
}

/** All articles in the order in which a headline names them: it has the first one or two. */
export function leadingArticles({ plan, placed }: LoadedStories, rules: SelectionRules): Article[] {
  return leadingStories(plan, rules).map(
    (story) => placed.find(({ article }) => article.id === story.id)?.article as Article,
  );
}

type Attempt = ({ kind: 'shown' } & PlacedStory) | { kind: 'unavailable' } | { kind: 'rejected'; rejection: Rejection };

function tryToShow(block: Block, stored: UnparsedArticle | undefined, options: LoadOptions): Attempt {
  if (stored === undefined) return { kind: 'unavailable' };
  const { newsletter, rules, now } = options;
  try {
    const article = toArticle(stored);
    // It can have been retracted or postponed since the candidates were read.
    if (!isPublic(article, now) || article.publishedAt >= rules.window.until) return { kind: 'unavailable' };
    return {
      kind: 'shown',
      block,
      article,
      stored,
      view: assertNotTooLarge(assertComplete(viewIn(block, article, options))),
    };
  } catch (error) {
    return { kind: 'rejected', rejection: toRejection(newsletter.id, stored, error) };
  }
}

function viewIn(block: Block, article: Article, { config, newsletter, excerpts }: LoadOptions): StoryLine {
  const limits = EXCERPT_LIMITS[excerpts];
  const locale = editionLocale(config, newsletter);
  switch (block) {
    case 'lead':
      return toStory(article, config, locale, limits.lead);
    case 'analysis':
      return toStory(article, config, locale, limits.analysis);
    case 'roundup':
    case 'also':
      return toRoundupItem(article, config, locale, limits.roundup);
    case 'news':
      return toNewsLine(article, config, locale, newsletter.show.thumbnails);
    case 'latest':
      return toStoryLine(article, config, locale);
  }
}

/** The rejection of an article that an edition cannot show. */
export function toRejection(newsletter: string, stored: UnparsedArticle, error: unknown): Rejection {
  return {
    stage: 'edition',
    source: newsletter,
    line: null,
    articleId: stored.articleId,
    problems: [`it cannot be shown in an edition: ${error instanceof Error ? error.message : String(error)}`],
    raw: readableJson(stored),
  };
}

/**
 * Returns the view if a template can show all of it. A template throws on a missing value or an impossible date, and
 * that would make the whole edition fail.
 * @throws Error that names the field
 */
export function assertComplete<T extends { headline: string }>(view: T): T {
  if (typeof view.headline !== 'string' || view.headline.trim() === '') throw new Error('its headline is empty');
  assertCompleteValue(view, 'it');
  return view;
}

// Four times a story with every field well filled. The lead alone must always fit into an edition.
const MAX_STORY_BYTES = 24_000;

/** Rejects a story that would displace all the others. Measured as escaped HTML. */
function assertNotTooLarge<T>(view: T): T {
  const json = JSON.stringify(view);
  // A character takes at most six bytes. Escaping 25 stories takes 0.3 ms.
  if (json.length * 6 <= MAX_STORY_BYTES) return view;
  const bytes = Buffer.byteLength(escapeHtml(json));
  if (bytes > MAX_STORY_BYTES) throw new Error(`its fields take ${bytes} bytes; the maximum is ${MAX_STORY_BYTES}`);
  return view;
}

function assertCompleteValue(value: unknown, path: string): void {
  if (value === undefined) throw new Error(`${path} is missing`);
  if (typeof value === 'number' && Number.isNaN(new Date(value).getTime())) {
    throw new Error(`${path} is ${value}, which is neither a valid instant nor a size`);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    assertCompleteValue(inner, path === 'it' ? `its ${key}` : `${path}.${key}`);
}
