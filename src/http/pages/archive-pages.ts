/**
 * The archive: every public article, by the month and day it was published on the newsroom's calendar.
 */
import { findPublicArticles } from '../../articles/queries.ts';
import { localDate } from '../../lib/time.ts';
import { answerNotFound } from '../server/error-pages.ts';
import type { Answer } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
import { findMonths, parseMonth } from './months.ts';
import { answerPage, renderPage } from './page.ts';
import { listPage, parsePageNumber } from './page-number.ts';
import { type StoryView, storyView } from './story-view.ts';

const STORIES_A_PAGE = 50;
const LAST_PAGE = 1_000;

/** Answers `/archive`: the months. */
export function answerArchive(site: Site): Answer {
  return async (c) => {
    const months = await findMonths(site.store.db, site.clock(), site.view.zone);
    const years = [...Map.groupBy(months, (month) => month.year)].map(([year, held]) => ({ year, months: held }));
    const description = `Every story of ${site.view.name}, by month.`;
    const head = { title: 'Archive', description, path: '/archive' };
    return answerPage(c, await renderPage(site, 'archive', head, { years }));
  };
}

/** Answers `/archive/:month`, such as `/archive/2026-11`. */
export function answerArchiveMonth(site: Site): Answer {
  return async (c) => {
    const month = parseMonth(c.req.param('month') ?? '', site.view.zone);
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (month === null || number === null) return answerNotFound(site, c);
    const found = await findPublicArticles(site.store.db, {
      now: site.clock(),
      from: month.from,
      until: month.until,
      limit: STORIES_A_PAGE + 1,
      offset: (number - 1) * STORIES_A_PAGE,
    });
    if (found.length === 0) return answerNotFound(site, c);
    const list = listPage(`/archive/${month.id}`, number, LAST_PAGE, STORIES_A_PAGE, found);
    const title = number === 1 ? month.title : `${month.title}, page ${number}`;
    const head = { ...list, title, description: `Stories that ${site.view.name} published in ${month.title}.` };
    const days = byDay(
      list.entries.map((article) => storyView(article, site)),
      site.view.zone,
    );
    return answerPage(c, await renderPage(site, 'archive-month', head, { title, days, list }));
  };
}

function byDay(stories: StoryView[], zone: string): { at: number; stories: StoryView[] }[] {
  const days = Map.groupBy(stories, (story) => localDate(story.publishedAt, zone));
  return [...days.values()].map((held) => ({ at: (held[0] as StoryView).publishedAt, stories: held }));
}
