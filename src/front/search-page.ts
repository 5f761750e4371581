/** The search of the site: its form, the public articles that it finds, newest first, and their feed. */
import type { Context, Handler } from 'hono';
import { Temporal } from 'temporal-polyfill';
import { fullHeadline } from '../articles/article.ts';
import { beginningOfText } from '../articles/beginning.ts';
import { storyView } from '../articles/pages/story-view.ts';
import { listArticles, parsePlace, placeText } from '../articles/search/list-articles.ts';
import { unindexedBefore } from '../articles/search/search-index.ts';
import { MAX_TEXT, parseWordQuery, type WordQuery } from '../articles/search/search-terms.ts';
import { excerpt, markParts } from '../articles/search/snippet.ts';
import { searchFeed } from '../feeds/feed-links.ts';
import { BuildLimiter, BuildRefused } from '../feeds/pages/build-limiter.ts';
import { addressBlock } from '../lib/cidr.ts';
import { cleanLine } from '../lib/text/clean-text.ts';
import { SECOND } from '../lib/time.ts';
import { renderPage } from '../web/pages/page.ts';
import { clientAddress } from '../web/server/client-address.ts';
import { respondError } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';

const HITS = 20;
const MAX_LENGTH = 100;
/** Somebody who looks for a story asks some times in a row. */
const SEARCHES_OF_CLIENT = { everyMs: SECOND, burst: 60 };

/** What a visitor has entered, as the form shows it again. */
interface SearchFields {
  q: string;
  section: string;
  from: string;
  until: string;
}

/** `/search`. Only browsers may store it: arbitrary queries would fill a shared cache. */
export function serveSearch(web: WebContext): Handler {
  const limiter = new BuildLimiter(web.clock, SEARCHES_OF_CLIENT);
  return async (c) => {
    const fields = readFields(web, c);
    const query = parseWordQuery(fields.q);
    try {
      const client = addressBlock(clientAddress(web, c) ?? 'unknown');
      const search = () => (query === null ? null : limiter.build(client, () => findHits(web, c, fields, query)));
      return await respond(web, c, fields, await search());
    } catch (error) {
      if (!(error instanceof BuildRefused)) throw error;
      c.header('Retry-After', `${error.retryAfter}`);
      const message = web.locale.text(error.status === 429 ? 'search.tooMany' : 'search.busy');
      return respondError(web, c, error.status, { title: web.locale.text('search.link'), message });
    }
  };
}

function readFields({ view }: WebContext, c: Context): SearchFields {
  const given = (name: string): string => cleanLine((c.req.query(name) ?? '').slice(0, MAX_LENGTH));
  const date = (name: string): string => (dayIn(given(name), view.zone) === null ? '' : given(name));
  const section = view.sections.find(({ id }) => id === given('section'))?.id ?? '';
  return { q: given('q'), section, from: date('from'), until: date('until') };
}

/** The day in `zone`, half-open; null for anything else. @param date `2026-11-30` */
function dayIn(date: string, zone: string): { from: number; until: number } | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return null;
  try {
    const day = Temporal.PlainDate.from(date, { overflow: 'reject' });
    const start = (of: Temporal.PlainDate): number => of.toZonedDateTime(zone).epochMilliseconds;
    return { from: start(day), until: start(day.add({ days: 1 })) };
  } catch {
    return null;
  }
}

async function findHits(web: WebContext, c: Context, fields: SearchFields, words: WordQuery) {
  const { store, view, clock } = web;
  const from = dayIn(fields.from, view.zone)?.from ?? Number.MIN_SAFE_INTEGER;
  const until = dayIn(fields.until, view.zone)?.until ?? Number.MAX_SAFE_INTEGER;
  const filter = { words, section: fields.section || undefined, publicIn: { from, until } };
  const options = { now: clock(), limit: HITS, after: parsePlace(c.req.query('after')) };
  // In a thread: a search may take as long as many pages.
  const page = await listArticles(store.reports, filter, options);
  const hits = page.articles.map((article) => ({
    story: storyView(article, web),
    headline: markParts(fullHeadline(article), words),
    excerpt: excerpt(cleanLine(`${article.dek ?? ''} ${beginningOfText(article.bodyHtml, MAX_TEXT)}`), words),
  }));
  return { page, hits, unindexed: await unindexedBefore(store.db, clock()) };
}

type Found = Awaited<ReturnType<typeof findHits>>;

async function respond(web: WebContext, c: Context, fields: SearchFields, found: Found | null): Promise<Response> {
  const { locale, view } = web;
  const isLater = c.req.query('after') !== undefined;
  const next = found?.page.next ?? null;
  const list = {
    previous: isLater ? searchPath(fields) : null,
    next: next === null ? null : searchPath({ ...fields, after: placeText(next) }),
  };
  const feed = found === null ? null : searchFeed(web.config, fields);
  const name = locale.text('search.link');
  const title = found === null ? name : locale.text('search.title', { words: fields.q });
  const description = locale.text('search.description', { site: view.name });
  const head = { title, description, path: null, ...list, feeds: feed === null ? [] : [feed] };
  const lookedBackTo = found?.page.lookedBackTo ?? null;
  const data = {
    ...{ fields, feed, isLater, lookedBackTo, list: lookedBackTo === null ? list : { ...list, next: null } },
    ...{ hits: found?.hits ?? null, unindexed: found?.unindexed ?? null, further: list.next, maxLength: MAX_LENGTH },
  };
  const html = await renderPage(web, 'search', head, data);
  return c.html(html, 200, { 'Cache-Control': 'private, max-age=60' });
}

/** The address of a search, with what is not empty. */
function searchPath(fields: SearchFields & { after?: string }): string {
  const given = Object.entries(fields).filter(([, value]) => value !== '');
  return `/search?${new URLSearchParams(given)}`;
}
