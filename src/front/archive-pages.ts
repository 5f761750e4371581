/** The archive: all public articles, by month and day on the publication's calendar. */
import type { Handler } from 'hono';
import { findMonths, type Month, parseMonth } from '../articles/months.ts';
import { localDate } from '../lib/time.ts';
import { listPage, parsePageNumber, renderPage, respondPublicPage, titleOnPage } from '../web/pages/page.ts';
import { breadcrumbData } from '../web/pages/structured-data.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';
import { type ListEntry, listStories } from './list-stories.ts';

const STORIES_PER_PAGE = 50;
const LAST_PAGE = 1_000;

/** `/archive`: the months. */
export function serveArchive(web: WebContext): Handler {
  return async (c) => {
    const found = await findMonths(web.store.db, web.clock(), web.view.zone);
    const years = [...Map.groupBy(found, (month) => month.year)].map(([year, months]) => ({
      ...{ year, title: web.locale.date(months[0]?.from ?? 0, web.view.zone, { year: 'numeric' }) },
      months: months.map((month) => ({ id: month.id, title: monthTitle(month, web) })),
    }));
    const description = web.locale.text('front.archiveDescription', { site: web.view.name });
    const head = { title: web.locale.text('common.archive'), description, path: '/archive' };
    return respondPublicPage(c, await renderPage(web, 'archive', head, { years }));
  };
}

/** `/archive/:month`, such as `/archive/2026-11`. */
export function serveArchiveMonth(web: WebContext): Handler {
  return async (c) => {
    const { zone, name: site } = web.view;
    const month = parseMonth(c.req.param('month') ?? '', zone);
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (month === null || number === null) return respondNotFound(web, c);
    const query = {
      from: month.from,
      until: month.until,
      limit: STORIES_PER_PAGE,
      offset: (number - 1) * STORIES_PER_PAGE,
    };
    const found = await listStories(web, web.clock(), 'archiveLine', query);
    if (found.entries.length === 0) return respondNotFound(web, c);
    const list = listPage(`/archive/${month.id}`, number, LAST_PAGE, found);
    const ofMonth = monthTitle(month, web);
    const title = titleOnPage(web, ofMonth, number);
    const description = web.locale.text('front.monthDescription', { site, month: ofMonth });
    const steps = [
      { name: web.locale.text('common.archive'), path: '/archive' },
      { name: ofMonth, path: `/archive/${month.id}` },
    ];
    const head = { ...list, title, description, data: [breadcrumbData(web.view, steps)] };
    const byDay = Map.groupBy(list.entries, (entry) => localDate(entry.publishedAt, zone));
    const days = [...byDay.values()].map((ofDay) => ({ at: (ofDay[0] as ListEntry).publishedAt, stories: ofDay }));
    return respondPublicPage(c, await renderPage(web, 'archive-month', head, { title, days, list }));
  };
}

/** `November 2026` */
function monthTitle({ from }: Month, { locale, view }: WebContext): string {
  return locale.dateHeading(from, view.zone, { year: 'numeric', month: 'long' });
}
