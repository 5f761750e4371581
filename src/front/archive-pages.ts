/** The archive: all public articles, by month and day on the publication's calendar. */
import type { Handler } from 'hono';
import { findMonths, parseMonth } from '../articles/months.ts';
import { localDate } from '../lib/time.ts';
import { listPage, parsePageNumber, renderPage, respondPublicPage } from '../web/pages/page.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';
import { type ListEntry, listStories } from './list-stories.ts';

const STORIES_PER_PAGE = 50;
const LAST_PAGE = 1_000;

/** `/archive`: the months. */
export function serveArchive(web: WebContext): Handler {
  return async (c) => {
    const found = await findMonths(web.store.db, web.clock(), web.view.zone);
    const years = [...Map.groupBy(found, (month) => month.year)].map(([year, months]) => ({ year, months }));
    const description = `All stories of ${web.view.name}, by month.`;
    const head = { title: 'Archive', description, path: '/archive' };
    return respondPublicPage(c, await renderPage(web, 'archive', head, { years }));
  };
}

/** `/archive/:month`, such as `/archive/2026-11`. */
export function serveArchiveMonth(web: WebContext): Handler {
  return async (c) => {
    const { zone, name } = web.view;
    const month = parseMonth(c.req.param('month') ?? '', zone);
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (month === null || number === null) return respondNotFound(web, c);
    const query = {
      from: month.from,
      until: month.until,
      limit: STORIES_PER_PAGE,
      offset: (number - 1) * STORIES_PER_PAGE,
    };
    const { archiveLine: found } = await listStories(web, web.clock(), { archiveLine: query });
    if (found.entries.length === 0) return respondNotFound(web, c);
    const list = listPage(`/archive/${month.id}`, number, LAST_PAGE, found);
    const title = number === 1 ? month.title : `${month.title}, page ${number}`;
    const head = { ...list, title, description: `Stories that ${name} published in ${month.title}.` };
    const byDay = Map.groupBy(list.entries, (entry) => localDate(entry.publishedAt, zone));
    const days = [...byDay.values()].map((ofDay) => ({ at: (ofDay[0] as ListEntry).publishedAt, stories: ofDay }));
    return respondPublicPage(c, await renderPage(web, 'archive-month', head, { title, days, list }));
  };
}
