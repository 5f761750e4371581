/**
 * The archive: every public article, by the month and day it was published on the newsroom's calendar.
 */
import { findPublicArticles } from '../../articles/queries.ts';
import { localDate } from '../../lib/time.ts';
import { respondNotFound } from '../server/errors.ts';
import type { RequestHandler } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { findMonths, parseMonth } from './months.ts';
import { renderPage, respondPage } from './page.ts';
import { listPage, parsePageNumber } from './page-number.ts';
import { type StoryView, storyView } from './story-view.ts';

const STORIES_A_PAGE = 50;
const LAST_PAGE = 1_000;

/** Answers `/archive`: the months. */
export function serveArchive(web: WebContext): RequestHandler {
  return async (c) => {
    const months = await findMonths(web.store.db, web.clock(), web.view.zone);
    const years = [...Map.groupBy(months, (month) => month.year)].map(([year, held]) => ({ year, months: held }));
    const description = `Every story of ${web.view.name}, by month.`;
    const head = { title: 'Archive', description, path: '/archive' };
    return respondPage(c, await renderPage(web, 'archive', head, { years }));
  };
}

/** Answers `/archive/:month`, such as `/archive/2026-11`. */
export function serveArchiveMonth(web: WebContext): RequestHandler {
  return async (c) => {
    const month = parseMonth(c.req.param('month') ?? '', web.view.zone);
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (month === null || number === null) return respondNotFound(web, c);
    const found = await findPublicArticles(web.store.db, {
      now: web.clock(),
      from: month.from,
      until: month.until,
      limit: STORIES_A_PAGE + 1,
      offset: (number - 1) * STORIES_A_PAGE,
    });
    if (found.length === 0) return respondNotFound(web, c);
    const list = listPage(`/archive/${month.id}`, number, LAST_PAGE, STORIES_A_PAGE, found);
    const title = number === 1 ? month.title : `${month.title}, page ${number}`;
    const head = { ...list, title, description: `Stories that ${web.view.name} published in ${month.title}.` };
    const days = byDay(
      list.entries.map((article) => storyView(article, web)),
      web.view.zone,
    );
    return respondPage(c, await renderPage(web, 'archive-month', head, { title, days, list }));
  };
}

function byDay(stories: StoryView[], zone: string): { at: number; stories: StoryView[] }[] {
  const days = Map.groupBy(stories, (story) => localDate(story.publishedAt, zone));
  return [...days.values()].map((held) => ({ at: (held[0] as StoryView).publishedAt, stories: held }));
}
