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
  const known = new Map<string, string>();
  for (const story of last?.stories ?? []) if (!ownIds.has(story.articleId)) addStory(known, story);
  const here = new Map<string, string>();
  return stories.flatMap((story) => {
    const place = { block: story.block, articleId: story.articleId, headline: story.headline };
    const before = findMatch(story, known);
    // Reports of one event are a group here, not repetitions.
    const match = before ?? findMatch({ ...story, eventKey: null }, here);
    addStory(here, story);
    if (match === null) return [];
    const where = before === null ? 'in this edition too' : `in the last edition, of ${last?.slot}`;
    const message =
      `it has the same ${match.by} as ${match.articleId}, which is ${where}: ` +
      'drop it, unless it reports something new';
    return { code: 'repeated-story', severity: 'warning', message, place } satisfies EditionProblem;
  });
}

function addStory(known: Map<string, string>, story: StoryIdentity): void {
  for (const { by, value } of identitiesOf(story)) known.set(`${by} ${value}`, story.articleId);
}

function findMatch(story: StoryIdentity, known: ReadonlyMap<string, string>): { by: string; articleId: string } | null {
  for (const { by, value } of identitiesOf(story)) {
    const articleId = known.get(`${by} ${value}`);
    if (articleId !== undefined) return { by: by === 'event' ? `event (${value})` : by, articleId };
  }
  return null;
}

function identitiesOf({ headline, url, outletUrl, eventKey }: StoryIdentity): { by: string; value: string }[] {
  return [
    { by: 'headline', value: comparableHeadline(headline) },
    { by: 'address', value: comparableUrl(url) },
    { by: 'address', value: comparableUrl(outletUrl) },
    { by: 'event', value: eventKey ?? '' },
  ].filter(({ value }) => value !== '');
}

/** Letters and digits only: quotes, dashes and case differ between two imports of a story. */
function comparableHeadline(headline: string): string {
  return headline
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ')
    .trim();
}

/** Host, path and query, without what only counts visits. Empty for a front page. */
function comparableUrl(text: string | null): string {
  if (text === null || !URL.canParse(text)) return '';
  const url = new URL(text);
  for (const name of [...url.searchParams.keys()]) if (/^utm_/i.test(name)) url.searchParams.delete(name);
  const path = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname;
  return path === '' && url.search === '' ? '' : url.host.replace(/^www\./, '') + path + url.search;
}
