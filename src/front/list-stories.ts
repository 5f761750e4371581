/**
 * Stories for pages that list them, as HTML. One that has not changed since it was listed in the same way is
 * neither read nor rendered again, unless others have taken its room in memory.
 */
import { LRUCache } from 'lru-cache';
import { type Article, isPublic } from '../articles/article.ts';
import { beginningOfText } from '../articles/beginning.ts';
import { type StoryView, storyView, summaryOf, withLowerHeadings } from '../articles/pages/story-view.ts';
import { type ArticleHead, type ArticleQuery, findDocuments, findPublicHeads } from '../articles/queries.ts';
import { toArticle } from '../articles/stored-document.ts';
import { buildExcerpt } from '../editions/rendering/excerpt.ts';
import { TurnTimer } from '../lib/concurrency/turn-timer.ts';
import { oncePer } from '../lib/once-per.ts';
import { cleanUrl } from '../lib/text/clean-text.ts';
import { shorten } from '../lib/text/shorten.ts';
import type { WebContext } from '../web/server/web-context.ts';

/** Bytes of memory: about 6,000 lines of the archive. */
const MAX_BYTES = 8_000_000;
/** Bytes of an entry besides its HTML. */
const OVERHEAD = 400;

interface StreamPart {
  /** In `templates/pages/parts`; null if only `hasImage` is wanted. */
  template: string | null;
  /** Heading level of the headline. */
  level?: 2 | 3;
  /** Whether it shows the body: whole, or its beginning if it is long. */
  hasBody?: boolean;
  /** Whether the beginning of the body replaces a missing dek. */
  hasTeaser?: boolean;
  /** `sizes` of its picture. */
  sizes?: string;
}

const FULL_WIDTH = 'calc(100vw - 2.5rem)';

/** How a list shows each story. */
const PARTS = {
  picture: { template: null },
  lead: { template: 'lead', level: 2, hasTeaser: true, sizes: `(min-width: 70rem) 33rem, ${FULL_WIDTH}` },
  second: { template: 'card', level: 2, hasTeaser: true, sizes: '(min-width: 48rem) 18rem, 7.5rem' },
  sectionTop: { template: 'card', level: 3, hasTeaser: true, sizes: `(min-width: 48rem) 25rem, ${FULL_WIDTH}` },
  headline: { template: 'headline-line', level: 3 },
  newsLine: { template: 'news-line' },
  roundupItem: { template: 'roundup-line', hasTeaser: true },
  outlet: { template: 'outlet-of' },
  frontStory: { template: 'story', level: 3, hasBody: true },
  streamStory: { template: 'story', level: 2, hasBody: true },
  sectionFirst: { template: 'section-line', level: 2, sizes: `(min-width: 48rem) 38rem, ${FULL_WIDTH}` },
  sectionLine: { template: 'section-line', sizes: '8rem' },
  archiveLine: { template: 'archive-line', sizes: '6rem' },
} as const satisfies Record<string, StreamPart>;

export type ListPart = keyof typeof PARTS;

const LONGEST_DEK = 200;
/** Words of a story that a list shows whole. */
const SHORT_STORY = 400;
/** Characters of text that are counted. A text of more is long in every language. */
const MOST_COUNTED = 6_000;
const EXCERPT = { paragraphs: 3, bytes: 2_400 };
/** By its dictionary, it finds the words of Chinese and Japanese in any locale. */
const WORDS = new Intl.Segmenter('en', { granularity: 'word' });

export interface ListEntry {
  id: string;
  /** Version of the document. */
  version: number;
  publishedAt: number;
  html: string;
  hasImage: boolean;
}

/** Part of a list. `hasMore`: the query matches more than its limit. */
export interface StoryList {
  entries: ListEntry[];
  hasMore: boolean;
}

/** The articles that match and are public at `now`, newest first. */
export async function listStories(
  web: WebContext,
  now: number,
  part: ListPart,
  query: Omit<ArticleQuery, 'now'>,
): Promise<StoryList> {
  const first = await readList(web, now, part, query);
  // An article that has changed between two statements may belong to another list now.
  return first.isCurrent ? first : readList(web, now, part, query);
}

/** `isCurrent`: no entry is of another version than the one that was found. */
async function readList(
  web: WebContext,
  now: number,
  part: ListPart,
  query: Omit<ArticleQuery, 'now'>,
): Promise<StoryList & { isCurrent: boolean }> {
  const { limit } = query;
  const found = await findPublicHeads(web.store.db, { ...query, now, limit: limit + 1 });
  const heads = found.slice(0, limit);
  const rendered = (await renderStories(web, now, [{ part, heads }])).get(part);
  return {
    entries: heads.flatMap(({ id }) => rendered?.get(id) ?? []),
    hasMore: found.length > limit,
    isCurrent: heads.every(({ id, version }) => rendered?.get(id)?.version === version),
  };
}

/** Which articles a list has. */
export interface StoriesOfPart {
  part: ListPart;
  heads: readonly Pick<ArticleHead, 'id' | 'version'>[];
}

export interface VersionedArticle {
  version: number;
  article: Article;
}

/**
 * The entries of each list by id: from the cache, or rendered. Those that are no longer public are left out.
 * @param known what has been read for the same page; gets what is read now
 */
export async function renderStories(
  web: WebContext,
  now: number,
  lists: readonly StoriesOfPart[],
  known: Map<string, VersionedArticle> = new Map(),
): Promise<Map<ListPart, Map<string, ListEntry>>> {
  const cache = cacheOf(web);
  const keyOf = (part: ListPart, id: string): string => `${web.templates.generation} ${part} ${id}`;
  const entries = new Map(lists.map(({ part }) => [part, new Map<string, ListEntry>()]));
  const missing = new Map<string, ListPart[]>();
  for (const { part, heads } of lists) {
    for (const { id, version } of heads) {
      const cached = cache.get(keyOf(part, id));
      if (cached?.version === version) entries.get(part)?.set(id, cached);
      else missing.set(id, [...(missing.get(id) ?? []), part]);
    }
  }
  const unknown = [...missing.keys()].filter((id) => !known.has(id));
  const rows = await findDocuments(web.store.db, unknown);
  const renderMissing = async (): Promise<void> => {
    const timer = new TurnTimer();
    for (const row of rows) {
      await timer.rest();
      known.set(row.id, { version: row.version, article: toArticle(row) });
    }
    for (const [id, parts] of missing) {
      await timer.rest();
      const { version, article } = known.get(id) ?? {};
      if (version === undefined || article === undefined || !isPublic(article, now)) continue;
      const { publishedAt, image } = article;
      const hasImage = image !== null && cleanUrl(image.url) !== null;
      for (const part of parts) {
        const entry = { id, version, publishedAt, html: await render(web, article, part), hasImage };
        entries.get(part)?.set(id, entry);
        cache.set(keyOf(part, id), entry);
      }
    }
  };
  if (missing.size > 0) await web.rendering.run(renderMissing);
  return entries;
}

async function render(web: WebContext, article: Article, part: ListPart): Promise<string> {
  const { template, level, hasBody = false, hasTeaser = false, sizes }: StreamPart = PARTS[part];
  if (template === null) return '';
  const { base, view, templates } = web;
  const story = storyView(article, web);
  const dek = shortDek(story.dek ?? (hasTeaser ? summaryOf(article) : null), story.language);
  const isExcerpt = hasBody && isLong(story);
  const bodyHtml = isExcerpt ? excerptOf(story) : story.bodyHtml;
  const whole = { ...story, dek, bodyHtml };
  const shown = !hasBody || level === undefined ? whole : withLowerHeadings(whole, level);
  const data = { story: shown, isExcerpt, level: level ?? null, sizes: sizes ?? null, base, lang: view.language };
  return (await templates.html(`pages/parts/${template}.liquid`, data, view.language)).trimEnd();
}

/** Many sites have whole paragraphs as deks, too long for a list. A Chinese character says as much as two letters. */
function shortDek(dek: string | null, language: string): string | null {
  return dek && shorten(dek, /^(zh|ja|ko)\b/.test(language) ? LONGEST_DEK / 2 : LONGEST_DEK);
}

function isLong({ bodyHtml }: StoryView): boolean {
  const text = beginningOfText(bodyHtml, MOST_COUNTED);
  if (text.length > MOST_COUNTED) return true;
  return [...WORDS.segment(text)].filter(({ isWordLike }) => isWordLike).length > SHORT_STORY;
}

function excerptOf({ bodyHtml }: StoryView): string {
  return buildExcerpt(bodyHtml, EXCERPT)
    .paragraphs.map(({ html }) => `<p>${html}</p>`)
    .join('\n');
}

/** By context, since an entry depends on the configuration and the templates, too. */
const cacheOf = oncePer<WebContext, LRUCache<string, ListEntry>>(
  () =>
    new LRUCache({
      maxSize: MAX_BYTES,
      // Up to two bytes for each character.
      sizeCalculation: ({ html }) => 2 * html.length + OVERHEAD,
    }),
);
