/** Stories that the newsletter's last edition had under another id: imported twice, or reported again. */
import type { Block } from '../selection/selection.ts';
import type { EditionProblem } from './edition-problem.ts';

/** What identifies a story beside its id. */
export interface StoryIdentity {
  articleId: string;
  block: Block;
  /** Without kicker. */
  headline: string;
  /** Its address on another site, or null. */
  url: string | null;
  /** The address of an outlet's report, or null. */
  outletUrl: string | null;
  eventKey: string | null;
}

/**
 * Compares an edition with the last one, and with itself.
 * @param last null before the newsletter's first edition
 */
export function checkRepeatedStories(
  stories: readonly StoryIdentity[],
  last: { slot: string; stories: readonly StoryIdentity[] } | null,
): EditionProblem[] {
  const ownIds = new Set(stories.map(({ articleId }) => articleId));
  const earlier = (last?.stories ?? []).filter(({ articleId }) => !ownIds.has(articleId));
  const known = indexStories(earlier);
  const here = indexStories([]);
  return stories.flatMap((story) => {
    const place = { block: story.block, articleId: story.articleId, headline: story.headline };
    const before = findMatch(story, known, true);
    // Reports of one event are a group here, not repetitions.
    const twice = before === null ? findMatch(story, here, false) : null;
    addStory(here, story);
    const match = before ?? twice;
    if (match === null) return [];
    const where = before === null ? 'in this edition too' : `in the last edition, of ${last?.slot}`;
    const message =
      `it has the same ${match.by} as ${match.articleId}, which is ${where}: ` +
      'drop it, unless it reports something new';
    return { code: 'repeated-story', severity: 'warning', message, place } satisfies EditionProblem;
  });
}

interface StoryIndex {
  headlines: Map<string, string>;
  urls: Map<string, string>;
  events: Map<string, string>;
}

function indexStories(stories: readonly StoryIdentity[]): StoryIndex {
  const index: StoryIndex = { headlines: new Map(), urls: new Map(), events: new Map() };
  for (const story of stories) addStory(index, story);
  return index;
}

function addStory(index: StoryIndex, story: StoryIdentity): void {
  const { articleId, eventKey } = story;
  const headline = comparableHeadline(story.headline);
  if (headline !== '') index.headlines.set(headline, articleId);
  for (const url of comparableUrls(story)) index.urls.set(url, articleId);
  if (eventKey !== null) index.events.set(eventKey, articleId);
}

function findMatch(
  story: StoryIdentity,
  { headlines, urls, events }: StoryIndex,
  byEvent: boolean,
): { by: string; articleId: string } | null {
  const headline = headlines.get(comparableHeadline(story.headline));
  if (headline !== undefined) return { by: 'headline', articleId: headline };
  for (const url of comparableUrls(story)) {
    const articleId = urls.get(url);
    if (articleId !== undefined) return { by: 'address', articleId };
  }
  const event = byEvent && story.eventKey !== null ? events.get(story.eventKey) : undefined;
  return event === undefined ? null : { by: `event (${story.eventKey})`, articleId: event };
}

/** Letters and digits only: quotes, dashes and case differ between two imports of a story. */
function comparableHeadline(headline: string): string {
  return headline
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ')
    .trim();
}

function comparableUrls({ url, outletUrl }: StoryIdentity): string[] {
  return [comparableUrl(url), comparableUrl(outletUrl)].filter((one) => one !== null);
}

/** Host, path and query, without what only counts visits. Null for a front page. */
function comparableUrl(text: string | null): string | null {
  if (text === null || !URL.canParse(text)) return null;
  const url = new URL(text);
  for (const name of [...url.searchParams.keys()]) if (/^utm_/i.test(name)) url.searchParams.delete(name);
  const path = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname;
  return path === '' && url.search === '' ? null : url.host.replace(/^www\./, '') + path + url.search;
}
