/**
 * An article in one or two lines: its headline, and where and when it appeared.
 */

import { html } from 'hono/html';
import type { Article } from '../../../articles/article.ts';
import { articleDeskPath } from '../../../articles/article-link.ts';
import { sectionTitle } from '../../../core/config/config.ts';
import type { DeskRequest, Html } from '../../../web/desk/desk-request.ts';
import { when } from '../../../web/desk/parts/when.ts';
import type { DraftPageView } from './draft-view.ts';

/** Leads to the page of the article. @param domId keeps the focus on the story when the list changes */
export function headlineLink(
  { request }: Pick<DraftPageView, 'request'>,
  { id, article }: { id: string; article: Article | null },
  domId: string,
): Html {
  const kicker = article?.kicker ?? null;
  return html`<a id="${domId}" href="${request.desk.base}${articleDeskPath(id)}" dir="auto"${
    article === null ? '' : html` lang="${article.language}"`
  }>${kicker === null ? '' : html`<span class="soft">${kicker}:</span> `}${article?.headline || id}</a>`;
}

/** Outlet, kind and time. */
export function storyFacts(request: DeskRequest, { kind, outlet, section, publishedAt }: Article): Html {
  const title = sectionTitle(request.desk.app.config, section) ?? section;
  const place = outlet === null ? (title ?? kind) : outlet.name;
  const own = outlet === null && section !== null ? `${kind} · ` : '';
  return html`<bdi>${place}</bdi> · ${own}${when(request, publishedAt)}`;
}
