/**
 * From candidates to what each block shows. A story that cannot be shown is rejected with its reason, and the selection is made
 * anew without it, so that its place goes to the next one and the edition still goes out.
 */
import { type Article, isPublic } from '../articles/article.ts';
import { toArticle } from '../articles/queries.ts';
import type { Rejection } from '../articles/rejections.ts';
import type { Config, NewsletterConfig } from '../config/config.ts';
import type { Db } from '../store/store.ts';
import { type Candidate, findStoredArticles, type StoredArticle } from './candidates.ts';
import type { EditionView, RoundupEntry, Story, StoryLine } from './rendering/edition-view.ts';
import { escapeHtml } from './rendering/excerpt.ts';
import { EXCERPTS, type Excerpts, otherOutlets, roundupEntry, storyLine, storyView } from './rendering/story-view.ts';
import { type Block, type EditionPlan, placedStories, type SelectionRules, selectStories } from './selection.ts';

/** A story in its block, as it was read and as it is shown. */
interface PlacedStory {
  block: Block;
  article: Article;
  stored: StoredArticle;
  view: StoryLine;
}

export interface GatheredStories {
  plan: EditionPlan;
  /** In the order of the edition. */
  placed: PlacedStory[];
  rejected: Rejection[];
  /** All that can be shown, as far as was tried: what is placed, and what was not asked for. */
  candidates: Candidate[];
}

export interface GatherOptions {
  config: Config;
  newsletter: NewsletterConfig;
  rules: SelectionRules;
  now: number;
  excerpts: Excerpts;
}

/** Selects the stories and makes their views, until all that is selected can be shown. */
export async function gatherStories(db: Db, candidates: Candidate[], options: GatherOptions): Promise<GatheredStories> {
  const known = new Map<string, StoredArticle>();
  const rejected: Rejection[] = [];
  let left = candidates;
  for (;;) {
    const plan = selectStories(left, options.rules);
    const stories = placedStories(plan);
    const unread = stories.map(({ story }) => story.id).filter((id) => !known.has(id));
    for (const [id, stored] of await findStoredArticles(db, unread)) known.set(id, stored);
    const attempts = stories.map(({ block, story }) => tryToShow(block, known.get(story.id), options));
    if (attempts.every((attempt) => attempt.kind === 'shown'))
      return { plan, placed: attempts, rejected, candidates: left };

    const out = new Set(stories.filter((_, index) => attempts[index]?.kind !== 'shown').map(({ story }) => story.id));
    left = left.filter((candidate) => !out.has(candidate.id));
    rejected.push(...attempts.flatMap((attempt) => (attempt.kind === 'bad' ? [attempt.rejected] : [])));
  }
}

/** The blocks of an edition as its templates see them. */
export function blocksOf({
  plan,
  placed,
}: GatheredStories): Pick<EditionView, 'top' | 'news' | 'analysis' | 'roundup' | 'latest'> {
  const inBlock = <T extends StoryLine>(block: Block): T[] =>
    placed.filter((story) => story.block === block).map((story) => story.view as T);
  const stories = new Map(placed.map((story) => [story.article.id, story]));
  const storyOf = ({ id }: Candidate): PlacedStory => stories.get(id) as PlacedStory;
  return {
    top: inBlock<Story>('lead')[0] ?? null,
    news: inBlock('news'),
    analysis: inBlock<Story>('analysis'),
    roundup: plan.roundup.map(({ first, also }) => {
      const { article, view } = storyOf(first);
      const others = also.map((one) => storyOf(one).article);
      return { ...(view as RoundupEntry), also: otherOutlets(article, others) };
    }),
    latest: inBlock('latest'),
  };
}

type Attempt = ({ kind: 'shown' } & PlacedStory) | { kind: 'gone' } | { kind: 'bad'; rejected: Rejection };

function tryToShow(block: Block, stored: StoredArticle | undefined, options: GatherOptions): Attempt {
  if (stored === undefined) return { kind: 'gone' };
  const { config, newsletter, rules, now, excerpts } = options;
  try {
    const article = toArticle(stored.document);
    // Retracted or put off since the candidates were read.
    if (!isPublic(article, now) || article.publishedAt >= rules.window.until) return { kind: 'gone' };
    return {
      kind: 'shown',
      block,
      article,
      stored,
      view: refuseExcess(refuseGaps(viewIn(block, article, config, excerpts))),
    };
  } catch (error) {
    return { kind: 'bad', rejected: notShown(newsletter.id, stored, error) };
  }
}

function viewIn(block: Block, article: Article, config: Config, excerpts: Excerpts): StoryLine {
  const limits = EXCERPTS[excerpts];
  switch (block) {
    case 'lead':
      return storyView(article, config, limits.lead);
    case 'analysis':
      return storyView(article, config, limits.analysis);
    case 'roundup':
    case 'also':
      return roundupEntry(article, config, limits.roundup);
    case 'news':
    case 'latest':
      return storyLine(article, config);
  }
}

/** What is rejected of an edition: the article, and why it cannot be shown. */
export function notShown(newsletter: string, stored: StoredArticle, error: unknown): Rejection {
  return {
    stage: 'edition',
    source: newsletter,
    line: null,
    articleId: stored.articleId,
    problems: [`it cannot be shown in an edition: ${error instanceof Error ? error.message : String(error)}`],
    raw: stored.document,
  };
}

/**
 * The view itself, if a template can show all of it. A template that meets a missing value or an impossible date throws, and would
 * take the whole edition down with it.
 * @throws Error that names what is wrong
 */
export function refuseGaps<T extends { headline: string }>(view: T): T {
  if (typeof view.headline !== 'string' || view.headline.trim() === '') throw new Error('its headline is empty');
  refuseGapsIn(view, 'it');
  return view;
}

// Four times what a story with every field well filled takes; an edition has room for the lead whatever it is.
const LARGEST_STORY = 24_000;

/** One story must not take the room of all the others. Counted as HTML, in bytes. */
function refuseExcess<T>(view: T): T {
  const bytes = Buffer.byteLength(escapeHtml(JSON.stringify(view)));
  if (bytes > LARGEST_STORY) throw new Error(`its fields take ${bytes} bytes, and ${LARGEST_STORY} is the most`);
  return view;
}

function refuseGapsIn(value: unknown, path: string): void {
  if (value === undefined) throw new Error(`${path} is missing`);
  if (typeof value === 'number' && Number.isNaN(new Date(value).getTime())) {
    throw new Error(`${path} is ${value}, which is no instant and no size`);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    refuseGapsIn(inner, path === 'it' ? `its ${key}` : `${path}.${key}`);
}
