/** The stories of a section, newest first below one with a picture. */
import type { Handler } from 'hono';
import { sectionFeed } from '../feeds/feed-links.ts';
import { listPage, parsePageNumber, renderPage, respondPublicPage, titleOnPage } from '../web/pages/page.ts';
import { breadcrumbData } from '../web/pages/structured-data.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';
import { listStories, renderStories } from './list-stories.ts';

const STORIES_PER_PAGE = 30;
/** The first of these newest stories that has a picture is shown above the others. */
const MAY_BE_FIRST = 6;
const LAST_PAGE = 100;

/** `/sections/:id`. */
export function serveSection(web: WebContext): Handler {
  return async (c) => {
    const section = web.view.sections.find(({ id }) => id === c.req.param('id'));
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (section === undefined || number === null) return respondNotFound(web, c);
    const query = {
      select: { sections: [section.id] },
      limit: STORIES_PER_PAGE,
      offset: (number - 1) * STORIES_PER_PAGE,
    };
    const now = web.clock();
    const found = await listStories(web, now, 'sectionLine', query);
    if (number === 1) {
      const { entries } = found;
      const withImage = entries.findIndex(({ hasImage }) => hasImage);
      const at = withImage < MAY_BE_FIRST ? Math.max(0, withImage) : 0;
      const heads = entries.slice(at, at + 1);
      const first = (await renderStories(web, now, [{ part: 'sectionFirst', heads }])).get('sectionFirst');
      found.entries = [...(first?.values() ?? []), ...entries.toSpliced(at, 1)];
    }
    if (number > 1 && found.entries.length === 0) return respondNotFound(web, c);
    const list = listPage(`/sections/${section.id}`, number, LAST_PAGE, found);
    const title = titleOnPage(web, section.title, number);
    const feed = sectionFeed(web.config, section.id);
    const names = { section: section.title, site: web.view.name };
    const description = web.locale.text('front.sectionDescription', names);
    const data = [breadcrumbData(web.view, [{ name: section.title, path: `/sections/${section.id}` }])];
    const head = { ...list, title, description, section: section.id, feeds: [feed], data };
    return respondPublicPage(
      c,
      await renderPage(web, 'section', head, { title, stories: list.entries, list, feed: feed.id }),
    );
  };
}
