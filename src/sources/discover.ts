/**
 * Finds what of a site can be polled: the WordPress REST API, else the Ghost Content API, else a feed. The API has all
 * posts, with every change; a feed has the newest ones.
 */
import { Parser } from 'htmlparser2';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import { boundedLine, cleanUrl } from '../lib/text/clean-text.ts';
import { JobError } from '../lib/threads/pool-thread.ts';
import { threadJob } from '../lib/threads/thread-job.ts';
import { runInThread } from '../lib/threads/thread-pool.ts';
import { SECOND } from '../lib/time.ts';
import { CmsFormatError } from './cms/cms-api.ts';
import { openGhost, readGhostPosts } from './cms/ghost.ts';
import { openWordPress } from './cms/wordpress.ts';
import type { FeedInspection } from './inspect-feed.ts';
import { type Answer, ask, PollError, type Requester, statusError } from './request.ts';

export interface FoundApi {
  api: SourceApi;
  endpoint: string;
  /** What an operator should know of the choice. */
  notes: string[];
}

/** Where sites have a feed that their pages do not name. */
const USUAL_FEEDS = ['feed/', 'rss/', 'feed.xml', 'rss.xml', 'atom.xml', 'index.xml', 'feed.json'];

/**
 * @param source.url of the site, or of a feed
 * @param source.api `auto`, or the only one to look for
 * @param source.key of the Ghost Content API
 * @throws PollError that names all that was tried
 */
export async function discoverApi(
  requester: Requester,
  { url, api, key }: { url: string; api: SourceApi | 'auto'; key: string | undefined },
): Promise<FoundApi> {
  const home = await askIfUp(requester, url);
  // A CMS without a site of its own may have no page there, and an API below.
  const isPage = home.status === 200;
  const page = isPage ? readHome(home) : NO_PAGE;
  const wants = (one: SourceApi): boolean => api === 'auto' || api === one;
  const tried: string[] = [];
  if (isPage && wants('feed') && (await isFeed(home, requester))) return { api: 'feed', endpoint: home.url, notes: [] };
  if (wants('wordpress')) {
    const endpoint = await findWordPress(requester, home.url, page);
    if (endpoint !== null) return { api: 'wordpress', endpoint, notes: [] };
    tried.push('the WordPress REST API');
  }
  if (wants('ghost')) {
    const found = key === undefined ? null : await findGhost(requester, home.url, key);
    if (found !== null) return { api: 'ghost', endpoint: found, notes: [] };
    tried.push(key === undefined ? 'the Ghost Content API (no key in DAYWIRE_SOURCE_KEYS)' : 'the Ghost Content API');
  }
  if (!isPage) throw new PollError(`${url} answered ${home.status}: is the address of the source right?`);
  if (wants('feed')) {
    const found = await findFeed(requester, home.url, page);
    const keyNote =
      page.isGhost && key === undefined
        ? ['this is a Ghost site: with a key of its Content API in DAYWIRE_SOURCE_KEYS, edits and deletions arrive too']
        : [];
    const others = otherFeeds(page.feeds, found?.endpoint);
    if (found !== null) return { ...found, notes: [...keyNote, ...found.notes, ...others] };
    tried.push(['a feed', ...others].join('; '));
  }
  throw new PollError(`${url}: nothing to poll was found: ${tried.join(', ')}`);
}

interface HomePage {
  /** The root of the WordPress REST API. */
  apiRoot: string | null;
  /** Feeds that it names, in order. */
  feeds: NamedFeed[];
  isGhost: boolean;
}

type NamedFeed = { url: string; title: string | null };

const NO_PAGE: HomePage = { apiRoot: null, feeds: [], isGhost: false };

const FEED_TYPES = ['application/rss+xml', 'application/atom+xml', 'application/feed+json'];
const MAX_FEEDS = 5;
const MAX_NAMED = 20;
/** The head of a page is at its beginning, and it is read on the main thread. */
const MAX_HOME_BYTES = 1_000_000;

/** In paths and titles of WordPress, Blogger and others. A section of opinions may be called "Comment". */
const COMMENTS = new RegExp(
  '[/=_-]comments(?:[/._-]|$)|^comments\\b|\\bcomments (?:on|for)\\b|\\bcomments? (?:feed|rss|\\()|kommentar-?feed|' +
    'des commentaires|de (?:los )?coment[aá]rios|dei commenti|reacties|комментари|コメント|评论 ?feed',
  'im',
);

function isOfComments({ url, title }: NamedFeed): boolean {
  const { pathname, search } = new URL(url);
  return COMMENTS.test(`${pathname}${search}\n${title}`);
}

/** A sentence on the other feeds that a page names, if it does. */
function otherFeeds(feeds: NamedFeed[], taken?: string): string[] {
  const others = feeds.filter(({ url }) => url !== taken).map(({ url, title }) => (title ? `“${title}” ${url}` : url));
  if (others.length === 0) return [];
  return [`the page also names these feeds; to use one, give its address: ${others.join(', ')}`];
}

/** What the page of a site says about its API and feeds. */
function readHome({ url, headers, body }: Pick<Answer, 'url' | 'headers' | 'body'>): HomePage {
  const page: HomePage = { apiRoot: null, feeds: [], isGhost: false };
  const parser = new Parser({
    onopentag(name, { rel = '', type = '', href = '', title = '', content = '', name: meta = '' }) {
      if (name === 'meta' && meta.toLowerCase() === 'generator') page.isGhost ||= /^ghost\b/i.test(content);
      if (name !== 'link') return;
      const rels = rel.toLowerCase().split(/\s+/);
      const address = cleanUrl(href, url);
      if (address === null) return;
      if (rels.includes('https://api.w.org/')) page.apiRoot ??= address;
      const isFeedLink = rels.includes('alternate') && FEED_TYPES.includes(type.toLowerCase().trim());
      if (!isFeedLink || page.feeds.length >= MAX_NAMED || page.feeds.some((feed) => feed.url === address)) return;
      // A relation may say of what it is a feed, too.
      page.feeds.push({
        url: address,
        title: boundedLine(title, 100) || (rels.includes('comments') ? 'comments' : null),
      });
    },
  });
  parser.write(new TextDecoder().decode(body.subarray(0, MAX_HOME_BYTES)));
  parser.end();
  const links = [headers.link ?? []].flat().join(',');
  const [, target] = /<([^<>]{1,2000})>\s*;\s*rel="?https:\/\/api\.w\.org\/"?/.exec(links) ?? [];
  page.apiRoot ??= target === undefined ? null : cleanUrl(target, url);
  return page;
}

async function isFeed(answer: Answer, requester: Requester): Promise<boolean> {
  const isPage = /^text\/html\b/i.test(answer.headers['content-type'] ?? '');
  if (isPage && !/^\s*<(?:\?xml|rss|feed)/i.test(answer.body.toString('latin1', 0, 200))) return false;
  return (await inspectInThread(answer, requester)) !== null;
}

async function findWordPress(requester: Requester, home: string, { apiRoot }: HomePage): Promise<string | null> {
  const roots = apiRoot === null ? usualRoots(home) : [apiRoot];
  for (const root of roots) {
    const endpoint = postsEndpoint(root);
    const request = apiRoot === null ? tryToAsk : askIfUp;
    const answer = await request(requester, openWordPress(endpoint).idsUrl({ from: null, page: 1, size: 1 }));
    if (answer?.status === 200 && isReadable(() => openWordPress(endpoint).readIds(answer.body, answer.headers))) {
      return endpoint;
    }
  }
  return null;
}

/** Where the API may be if no page names it. The address of a source may be that of the API itself. */
function usualRoots(home: string): string[] {
  if (/\/wp-json\/?$/.test(new URL(home).pathname)) return [home];
  return [below(home, 'wp-json/'), below(home, '?rest_route=/')];
}

/** Without "pretty permalinks" the route is a parameter. */
function postsEndpoint(root: string): string {
  const url = new URL(root);
  const route = url.searchParams.get('rest_route');
  if (route === null) return new URL('wp/v2/posts', root.endsWith('/') ? root : `${root}/`).href;
  url.searchParams.set('rest_route', `${route.replace(/\/$/, '')}/wp/v2/posts`);
  return url.href;
}

async function findGhost(requester: Requester, home: string, key: string): Promise<string | null> {
  const endpoint = below(home, 'ghost/api/content/posts/');
  const api = openGhost(endpoint, key);
  const answer = await askIfUp(requester, api.newestUrl(1), api.headers);
  if (answer.status === 401 || answer.status === 403) {
    throw new PollError(`${endpoint} answered ${answer.status}: the key in DAYWIRE_SOURCE_KEYS is not one of its keys`);
  }
  return answer.status === 200 && isReadable(() => readGhostPosts(answer.body)) ? endpoint : null;
}

/** The first feed with whole articles; else the first feed. */
async function findFeed(requester: Requester, home: string, { feeds }: HomePage): Promise<FoundApi | null> {
  let first: string | null = null;
  for await (const { address, hasWholeArticles } of readableFeeds(requester, home, feeds)) {
    if (hasWholeArticles) return { api: 'feed', endpoint: address, notes: [] };
    first ??= address;
  }
  if (first === null) return null;
  return { api: 'feed', endpoint: first, notes: ['the feed has summaries only: its articles have no more than those'] };
}

/** The feeds of articles with items that a page names, or where sites usually have them. */
async function* readableFeeds(requester: Requester, home: string, named: NamedFeed[]) {
  const ofArticles = named.filter((feed) => !isOfComments(feed)).slice(0, MAX_FEEDS);
  const usual = USUAL_FEEDS.map((path) => below(home, path));
  for (const address of ofArticles.length > 0 ? ofArticles.map(({ url }) => url) : usual) {
    const answer = await tryToAsk(requester, address);
    if (answer?.status === 429 || answer?.status === 503) throw statusError(answer, requester.clock());
    const feed = answer?.status === 200 ? await inspectInThread(answer, requester) : null;
    if (answer === null || feed === null || feed.items === 0) continue;
    if (!isOfComments({ url: address, title: feed.title })) yield { ...feed, address, answer };
  }
}

/**
 * The first feed that a page names, or one where sites usually have it, with its response.
 * @param page the response of status 200 that is no feed
 * @returns `notes`: what an operator should know of the choice
 * @throws PollError if the server asks for a pause
 */
export async function findFeedOfPage(
  requester: Requester,
  page: Answer,
): Promise<{ address: string; answer: Answer; notes: string[] } | null> {
  const { feeds } = readHome(page);
  for await (const { address, answer } of readableFeeds(requester, page.url, feeds)) {
    return { address, answer, notes: otherFeeds(feeds, address) };
  }
  return null;
}

/**
 * Asks an API that should be there. If it is only down, the next one must not be taken instead, for good.
 * @throws PollError without an answer, and if the server says that it is down or busy
 */
async function askIfUp(requester: Requester, url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await ask(requester, url, headers);
  if (answer.status >= 500 || answer.status === 429) throw statusError(answer, requester.clock());
  return answer;
}

async function tryToAsk(requester: Requester, url: string): Promise<Answer | null> {
  try {
    return await ask(requester, url);
  } catch (error) {
    if (error instanceof PollError) return null;
    throw error;
  }
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof CmsFormatError) return false;
    throw error;
  }
}

function below(home: string, path: string): string {
  const url = new URL(home);
  return new URL(path, `${url.origin}${url.pathname.replace(/\/?$/, '/')}`).href;
}

const INSPECT = threadJob<typeof import('./inspect-feed.ts').inspectFeed>(
  import.meta.url,
  './inspect-feed',
  'inspectFeed',
);

const INSPECTION_LIMIT = 30 * SECOND;

/**
 * Inspects a document in a thread: anyone's site is searched for a feed.
 * @returns null for a document that is no feed, or cannot be read in time; @throws the reason of the signal
 */
async function inspectInThread(
  { url, headers, body }: Answer,
  { clock, signal }: Requester,
): Promise<FeedInspection | null> {
  const document = { bytes: body, contentType: headers['content-type'] ?? null, url };
  try {
    return await runInThread(INSPECT, { document, now: clock() }, { timeLimit: INSPECTION_LIMIT, signal });
  } catch (error) {
    if (error instanceof JobError) return null;
    throw error;
  }
}
