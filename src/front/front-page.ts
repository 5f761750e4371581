/** The front page: lead, second rank, 24-hour wire, roundup, sections, and the stream of the newest other stories. */
import type { Context, Handler } from 'hono';
import { findPinnedHeads, findRankingHeads } from '../articles/queries.ts';

import type { Selection } from '../core/config/config.ts';
import { editionLine } from '../editions/edition-line.ts';
import { listEditions } from '../editions/queries.ts';
import { newestFirst } from '../editions/selection/ranking.ts';
import { DAY } from '../lib/time.ts';
import { listPage, parsePageNumber, renderPage, respondPublicPage, titleOnPage } from '../web/pages/page.ts';
import { shortForm } from '../web/pages/short-form.ts';
import { publisherData, websiteData } from '../web/pages/structured-data.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';
import {
  type ListEntry,
  type ListPart,
  listStories,
  renderStories,
  type StoriesOfPart,
  type VersionedArticle,
} from './list-stories.ts';
import { FIRST_PAGE, placeRoundup, placeStories, toFrontStory } from './place-stories.ts';

/** The newsroom's own stories and its roundups, but not the single items of a roundup. */
const STREAM: Selection = { kinds: ['brief', 'analysis', 'feature', 'roundup'] };
const ITEMS: Selection = { kinds: ['roundup-item'] };
/** The newest stories, of which the page shows some. */
const CONSIDERED = 80;
/** Pinned stories, and stories with a lead kicker, that are considered beyond the newest on a day with more. */
const LED = 20;
/** Newest roundup items. Several can be reports of one event. */
const CONSIDERED_ITEMS = 30;
const STORIES_PER_PAGE = 10;
const LAST_PAGE = 50;
const EDITIONS = 5;

/** `/`, and `/?page=2` with the stream only. */
export function serveFrontPage(web: WebContext): Handler {
  return async (c) => {
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (number === null) return respondNotFound(web, c);
    const now = web.clock();
    if (number > 1) return serveEarlier(web, c, number, now);
    const { leadKickers, sections } = web.config;
    const { kinds = [] } = STREAM;
    const [newest, pinned, kicked, items, found] = await Promise.all([
      findRankingHeads(web.store.db, { select: STREAM, now, limit: CONSIDERED }),
      findPinnedHeads(web.store.db, now - DAY, now, LED),
      findRankingHeads(web.store.db, { select: { kinds, kickers: leadKickers }, now, from: now - DAY, limit: LED }),
      findRankingHeads(web.store.db, { select: ITEMS, now, limit: CONSIDERED_ITEMS }),
      listEditions(web.store.db, null, EDITIONS),
    ]);
    const led = [...pinned, ...kicked].filter(({ kind }) => kinds.includes(kind));
    const rules = { now, leadKickers, sections: sections.map(({ id }) => id) };
    const considered = new Map([...newest, ...led].map((head) => [head.id, toFrontStory(head)]));
    const heads = [...considered.values()].sort(newestFirst);
    const known = new Map<string, VersionedArticle>();
    const pictures = (await renderStories(web, now, [{ part: 'picture', heads }], known)).get('picture');
    const pictured = new Set(heads.map(({ id }) => id).filter((id) => pictures?.get(id)?.hasImage));
    const plan = placeStories(heads, pictured, rules);
    const roundup = placeRoundup(items.map(toFrontStory));
    // Each past edition is in the list of editions.
    const listed = new Set(found.map(({ articleId }) => articleId));
    const lists: StoriesOfPart[] = [
      { part: 'lead', heads: plan.lead },
      { part: 'second', heads: plan.second },
      { part: 'newsLine', heads: plan.wire },
      { part: 'sectionTop', heads: plan.sections.map(({ top }) => top) },
      { part: 'headline', heads: plan.sections.flatMap(({ others }) => others) },
      { part: 'roundupItem', heads: roundup.map(({ first }) => first) },
      { part: 'outlet', heads: roundup.flatMap(({ also }) => also) },
      { part: 'frontStory', heads: plan.stream.filter(({ id }) => !listed.has(id)) },
    ];
    const entries = await renderStories(web, now, lists, known);
    const show = (part: ListPart, stories: { id: string }[]): ListEntry[] =>
      stories.flatMap(({ id }) => entries.get(part)?.get(id) ?? []);
    const list = listPage('/', 1, LAST_PAGE, {
      entries: show('frontStory', plan.stream),
      hasMore: heads.length > FIRST_PAGE,
    });
    const data = {
      now,
      list,
      lead: show('lead', plan.lead)[0] ?? null,
      second: show('second', plan.second),
      news: show('newsLine', plan.wire),
      hasMoreNews: plan.hasMoreNews,
      sections: plan.sections.map(({ id, top, others }) => ({
        ...{ id, title: web.view.sections.find((section) => section.id === id)?.title },
        stories: [...show('sectionTop', [top]), ...show('headline', others)],
      })),
      roundup: roundup.flatMap(({ first, also }) =>
        show('roundupItem', [first]).map(({ html }) => ({ html, also: show('outlet', also).map((one) => one.html) })),
      ),
      editions: found.map((edition) => editionLine(edition, web)),
      form: await shortForm(web),
    };
    const structured = [websiteData(web.view), publisherData(web.view)];
    const head = { ...list, title: null, description: web.view.about, data: structured };
    return respondPublicPage(c, await renderPage(web, 'front', head, data));
  };
}

async function serveEarlier(web: WebContext, c: Context, number: number, now: number): Promise<Response> {
  const offset = FIRST_PAGE + (number - 2) * STORIES_PER_PAGE;
  const query = { select: STREAM, limit: STORIES_PER_PAGE, offset };
  const found = await listStories(web, now, 'streamStory', query);
  if (found.entries.length === 0) return respondNotFound(web, c);
  const list = listPage('/', number, LAST_PAGE, found);
  const title = titleOnPage(web, web.locale.text('common.earlierStories'), number);
  const head = { ...list, title, description: web.view.about };
  return respondPublicPage(c, await renderPage(web, 'stream', head, { title, stream: list.entries, list }));
}
