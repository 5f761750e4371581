/**
 * A section's stories, newest first.
 */
import { findPublicArticles } from '../articles/queries.ts';
import type { Config } from '../config.ts';
import { answerNotFound } from './error-pages.ts';
import { answerPage, renderPage } from './page.ts';
import { listPage, parsePageNumber } from './page-number.ts';
import type { Answer } from './routes.ts';
import type { Site } from './site.ts';
import { storyView } from './story-view.ts';

const STORIES_A_PAGE = 30;
const LAST_PAGE = 100;

/** Answers `/sections/:id`. */
export function answerSection(site: Site): Answer {
  return async (c) => {
    const section = site.view.sections.find(({ id }) => id === c.req.param('id'));
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (section === undefined || number === null) return answerNotFound(site, c);
    const found = await findPublicArticles(site.store.db, {
      select: { sections: [section.id] },
      now: site.clock(),
      limit: STORIES_A_PAGE + 1,
      offset: (number - 1) * STORIES_A_PAGE,
    });
    if (number > 1 && found.length === 0) return answerNotFound(site, c);
    const list = listPage(`/sections/${section.id}`, number, LAST_PAGE, STORIES_A_PAGE, found);
    const title = number === 1 ? section.title : `${section.title}, page ${number}`;
    const head = {
      ...list,
      title,
      description: `${section.title}: the newest stories of ${site.view.name}.`,
      section: section.id,
    };
    const stories = list.entries.map((article) => storyView(article, site));
    const feed = feedOfSection(site.config, section.id);
    return answerPage(c, await renderPage(site, 'section', head, { title, stories, list, feed }));
  };
}

/** The id of the feed that holds that section and nothing else, or null. */
function feedOfSection(config: Config, section: string): string | null {
  const feed = config.feeds.find(({ select, windowHours }) => {
    const { sections, ...rest } = select;
    const named = Object.values(rest).some((value) => value !== undefined);
    return sections?.length === 1 && sections[0] === section && !named && windowHours === undefined;
  });
  return feed?.id ?? null;
}
