/** The front page: the latest headlines, the stream of whole stories, and the news of the last 24 hours. */
import type { Context, Handler } from 'hono';
import { emptySubscribeForm, isSignupOpen } from '../audience/pages/subscribe-form.ts';
import type { Selection } from '../core/config/config.ts';
import { editionLine } from '../editions/edition-line.ts';
import { listEditions } from '../editions/queries.ts';
import { DAY } from '../lib/time.ts';
import { listPage, parsePageNumber, renderPage, respondPublicPage, titleOnPage } from '../web/pages/page.ts';
import { publisherData, websiteData } from '../web/pages/structured-data.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';
import { listStories } from './list-stories.ts';

/** The newsroom's own stories and its roundups, but not the single items of a roundup. */
const STREAM: Selection = { kinds: ['brief', 'analysis', 'feature', 'roundup'] };
const NEWS: Selection = { kinds: ['brief', 'analysis', 'feature'] };
const STORIES_PER_PAGE = 10;
const LAST_PAGE = 50;
const LATEST = 20;
const NEWS_LINES = 15;
const EDITIONS = 5;

/** `/`, and `/?page=2` with the stream only. */
export function serveFrontPage(web: WebContext): Handler {
  return async (c) => {
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (number === null) return respondNotFound(web, c);
    const now = web.clock();
    if (number > 1) return serveEarlier(web, c, number, now);
    const [stories, editions] = await Promise.all([
      listStories(web, now, {
        frontStory: { select: STREAM, limit: STORIES_PER_PAGE },
        latestLine: { select: STREAM, limit: LATEST },
        newsLine: { select: NEWS, from: now - DAY, limit: NEWS_LINES },
      }),
      listEditions(web.store.db, null, EDITIONS),
    ]);
    const { frontStory, latestLine, newsLine } = stories;
    const list = listPage('/', number, LAST_PAGE, frontStory);
    const data = {
      now,
      list,
      stream: list.entries,
      latest: latestLine.entries,
      news: newsLine.entries,
      hasMoreNews: newsLine.hasMore,
      editions: editions.map((edition) => editionLine(edition, web)),
      form: isSignupOpen(web) ? await emptySubscribeForm(web) : null,
    };
    const structured = [websiteData(web.view), publisherData(web.view)];
    const head = { ...list, title: null, description: web.view.about, data: structured };
    return respondPublicPage(c, await renderPage(web, 'front', head, data));
  };
}

async function serveEarlier(web: WebContext, c: Context, number: number, now: number): Promise<Response> {
  const offset = (number - 1) * STORIES_PER_PAGE;
  const query = { select: STREAM, limit: STORIES_PER_PAGE, offset };
  const { streamStory: found } = await listStories(web, now, { streamStory: query });
  if (found.entries.length === 0) return respondNotFound(web, c);
  const list = listPage('/', number, LAST_PAGE, found);
  const title = titleOnPage(web, web.locale.text('common.earlierStories'), number);
  const head = { ...list, title, description: web.view.about };
  return respondPublicPage(c, await renderPage(web, 'stream', head, { title, stream: list.entries, list }));
}
