/**
 * The front page: the latest headlines, the stream of whole stories, and the news of the last 24 hours.
 */
import type { Handler } from 'hono';
import type { Selection } from '../../config/config.ts';
import { listEditions } from '../../editions/queries.ts';
import { DAY } from '../../lib/time.ts';
import { emptySubscribeForm, isSignupOpen } from '../account/subscribe-form.ts';
import { respondNotFound } from '../server/errors.ts';
import type { WebContext } from '../server/web-context.ts';
import { editionLine } from './edition-pages.ts';
import { listStories } from './list-stories.ts';
import { listPage, parsePageNumber, renderPage, respondPage } from './page.ts';

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
    const first = number === 1;
    const query = { select: STREAM, now, limit: STORIES_PER_PAGE, offset: (number - 1) * STORIES_PER_PAGE };
    const found = await listStories(web, query, first ? 'frontStory' : 'streamStory');
    if (!first && found.entries.length === 0) return respondNotFound(web, c);
    const list = listPage('/', number, LAST_PAGE, found);
    const stream = list.entries;
    const { about } = web.view;
    if (!first) {
      const title = `Earlier stories, page ${number}`;
      const head = { ...list, title, description: about };
      return respondPage(c, await renderPage(web, 'stream', head, { title, stream, list }));
    }
    const latest = await listStories(web, { select: STREAM, now, limit: LATEST }, 'latestLine');
    const ofDay = { select: NEWS, now, from: now - DAY, limit: NEWS_LINES };
    const news = await listStories(web, ofDay, 'newsLine');
    const editions = await listEditions(web.store.db, null, EDITIONS);
    const data = {
      now,
      list,
      stream,
      latest: latest.entries,
      news: news.entries,
      hasMoreNews: news.hasMore,
      editions: editions.map((edition) => editionLine(edition, web)),
      form: isSignupOpen(web) ? await emptySubscribeForm(web) : null,
    };
    return respondPage(c, await renderPage(web, 'front', { ...list, title: null, description: about }, data));
  };
}
