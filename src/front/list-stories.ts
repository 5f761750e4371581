/**
 * Stories for pages that list them, as HTML. One that has not changed since it was listed in the same way is
 * neither read nor rendered again, unless others have taken its room in memory.
 */
import { LRUCache } from 'lru-cache';
import { isPublic } from '../articles/article.ts';
import { beginningOfText } from '../articles/beginning.ts';
import { type StoryView, storyView, summaryOf, withLowerHeadings } from '../articles/pages/story-view.ts';
import { type ArticleHead, type ArticleQuery, findDocuments, findPublicHeads } from '../articles/queries.ts';
import { toArticle } from '../articles/stored-document.ts';
import type { Db } from '../core/store/store.ts';
import { buildExcerpt } from '../editions/rendering/excerpt.ts';
import { TurnTimer } from '../lib/concurrency/turn-timer.ts';
import { oncePer } from '../lib/once-per.ts';
import { shorten } from '../lib/text/shorten.ts';
import type { WebContext } from '../web/server/web-context.ts';

/** Bytes of memory: about 6,000 lines of the archive. */
const MAX_BYTES = 8_000_000;
/** Bytes of an entry besides its HTML. */
const OVERHEAD = 400;

interface Part {
  /** In `templates/pages/parts`; null if only `hasImage` is wanted. */
  template: string | null;
  /** Of the headline. */
  level?: 2 | 3;
  /** Whether it shows the body: whole, or its beginning if it is long. */
  hasBody?: boolean;
  /** Whether the beginning of the body replaces a missing dek. */
  hasTeaser?: boolean;
  /** `sizes` of its picture. */
  sizes?: string;
}

const [FULL_WIDTH, CARD] = ['calc(100vw - 2.5rem)', '(min-width: 48rem) 18rem'];

/** How a list shows each story. */
const PARTS = {
  picture: { template: null },
  lead: { template: 'lead', level: 2, hasTeaser: true, sizes: `(min-width: 70rem) 33rem, ${FULL_WIDTH}` },
  second: { template: 'card', level: 2, hasTeaser: true, sizes: `${CARD}, 7.5rem` },
  sectionTop: { template: 'card', level: 3, hasTeaser: true, sizes: `${CARD}, ${FULL_WIDTH}` },
  headline: { template: 'headline-line', level: 3 },
  newsLine: { template: 'news-line' },
  roundupItem: { template: 'roundup-line', hasTeaser: true },
  outlet: { template: 'outlet-of' },
  frontStory: { template: 'story', level: 3, hasBody: true },
  streamStory: { template: 'story', level: 2, hasBody: true },
  sectionFirst: { template: 'section-line', level: 2, sizes: `(min-width: 48rem) 38rem, ${FULL_WIDTH}` },
  sectionLine: { template: 'section-line', sizes: '8rem' },
  archiveLine: { template: 'archive-line', sizes: '6rem' },
} as const satisfies Record<string, Part>;

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
  publishedAt: number;
  html: string;
  hasImage: boolean;
}

interface CachedEntry extends ListEntry {
  /** Version of the document. */
  version: number;
}

/** Part of a list. `hasMore`: the query matches more than its limit. */
export interface StoryList {
  entries: ListEntry[];
  hasMore: boolean;
}

/** The lists of a page: which stories each has, by how it shows them. */
type ListQueries = Partial<Record<ListPart, Omit<ArticleQuery, 'now'>>>;

/**
 * The articles that match each query and are public at `now`, newest first. A story is read once, however many of the
 * lists show it, and queries that differ only in their limit are one query of the database.
 */
export async function listStories<Queries extends ListQueries>(
  web: WebContext,
  now: number,
  queries: Queries,
): Promise<Record<keyof Queries, StoryList>> {
  const first = await readLists(web, now, queries);
  // An article that has changed between two statements may belong to another list now.
  const { lists } = first.isCurrent ? first : await readLists(web, now, queries);
  return lists as Record<keyof Queries, StoryList>;
}

/** `isCurrent`: no entry is of another version than the one that was found. */
async function readLists(
  web: WebContext,
  now: number,
  queries: ListQueries,
): Promise<{ lists: Partial<Record<ListPart, StoryList>>; isCurrent: boolean }> {
  const found = await findLists(web.store.db, now, queries);
  const entries = await renderStories(web, now, found);
  const entryOf = ({ part }: FoundList, { id }: ArticleHead): CachedEntry | undefined => entries.get(part)?.get(id);
  return {
    lists: Object.fromEntries(
      found.map((list) => {
        return [list.part, { entries: list.heads.flatMap((head) => entryOf(list, head) ?? []), hasMore: list.hasMore }];
      }),
    ),
    isCurrent: found.every((list) => list.heads.every((head) => entryOf(list, head)?.version === head.version)),
  };
}

/** Which articles a list has. */
interface StoriesOfPart {
  part: ListPart;
  heads: readonly Pick<ArticleHead, 'id' | 'version'>[];
}

interface FoundList extends StoriesOfPart {
  heads: ArticleHead[];
  hasMore: boolean;
}

async function findLists(db: Db, now: number, queries: ListQueries): Promise<FoundList[]> {
  const lists = Object.entries(queries) as [ListPart, Omit<ArticleQuery, 'now'>][];
  const alike = Map.groupBy(lists, ([, { limit, ...stories }]) => JSON.stringify(stories));
  // PostgreSQL runs these queries at the same time.
  const found = await Promise.all(
    [...alike.values()].map(async (some) => {
      const longest = some.map(([, query]) => query).reduce((one, other) => (one.limit < other.limit ? other : one));
      const heads = await findPublicHeads(db, { ...longest, now, limit: longest.limit + 1 });
      return some.map(([part, { limit }]) => ({ part, heads: heads.slice(0, limit), hasMore: heads.length > limit }));
    }),
  );
  return found.flat();
}

/** The entries of each list by id: from the cache, or rendered. Those that are no longer public are left out. */
export async function renderStories(
  web: WebContext,
  now: number,
  lists: readonly StoriesOfPart[],
): Promise<Map<ListPart, Map<string, CachedEntry>>> {
  const cache = cacheOf(web);
  const keyOf = (part: ListPart, id: string): string => `${web.templates.generation} ${part} ${id}`;
  const entries = new Map(lists.map(({ part }) => [part, new Map<string, CachedEntry>()]));
  const missing = new Map<string, ListPart[]>();
  for (const { part, heads } of lists) {
    for (const { id, version } of heads) {
      const cached = cache.get(keyOf(part, id));
      if (cached?.version === version) entries.get(part)?.set(id, cached);
      else missing.set(id, [...(missing.get(id) ?? []), part]);
    }
  }
  const rows = await findDocuments(web.store.db, [...missing.keys()]);
  const renderMissing = async (): Promise<void> => {
    const timer = new TurnTimer();
    for (const row of rows) {
      await timer.rest();
      const article = toArticle(row);
      if (!isPublic(article, now)) continue;
      const story = storyView(article, web);
      for (const part of missing.get(row.id) ?? []) {
        const { hasTeaser = false }: Part = PARTS[part];
        const dek = shortDek(story.dek ?? (hasTeaser ? summaryOf(article) : null), story.language);
        const html = await render(web, { ...story, dek }, part);
        const entry = { version: row.version, publishedAt: article.publishedAt, html, hasImage: story.image !== null };
        entries.get(part)?.set(row.id, entry);
        cache.set(keyOf(part, row.id), entry);
      }
    }
  };
  if (rows.length > 0) await web.rendering.run(renderMissing);
  return entries;
}

async function render({ base, view, templates }: WebContext, story: StoryView, part: ListPart): Promise<string> {
  const { template, level, hasBody = false, sizes }: Part = PARTS[part];
  if (template === null) return '';
  const isExcerpt = hasBody && isLong(story);
  const bodyHtml = isExcerpt ? excerptOf(story) : story.bodyHtml;
  const shown = !hasBody || level === undefined ? story : withLowerHeadings({ ...story, bodyHtml }, level);
  const data = { story: shown, isExcerpt, level: level ?? null, sizes: sizes ?? null, base, lang: view.language };
  return (await templates.html(`pages/parts/${template}.liquid`, data, view.language)).trimEnd();
}

/** Many sites have whole paragraphs as deks, which a list cannot show. Chinese characters say as much as two letters. */
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
const cacheOf = oncePer<WebContext, LRUCache<string, CachedEntry>>(
  () =>
    new LRUCache({
      maxSize: MAX_BYTES,
      // Up to two bytes for each character.
      sizeCalculation: ({ html }) => 2 * html.length + OVERHEAD,
    }),
);
