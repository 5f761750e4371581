/**
 * A section's stories, newest first.
 */
import { findPublicArticles } from '../../articles/queries.ts';
import { sectionFeed } from '../../feeds/feed-links.ts';
import { answerNotFound } from '../server/error-pages.ts';
import type { Answer } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
import { answerPage, renderPage } from './page.ts';
import { listPage, parsePageNumber } from './page-number.ts';
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
    const feed = sectionFeed(site.config, section.id);
    const head = {
      ...list,
      title,
      description: `${section.title}: the newest stories of ${site.view.name}.`,
      section: section.id,
      feeds: [feed],
    };
    const stories = list.entries.map((article) => storyView(article, site));
    return answerPage(c, await renderPage(site, 'section', head, { title, stories, list, feed: feed.id }));
  };
}
