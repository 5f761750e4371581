/** What several pages of articles show. */
import { html } from 'hono/html';
import type { DeskRequest, Html } from '../../web/desk/desk-request.ts';
import { type StatusKind, statusMark } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import type { Article } from '../article.ts';
import { type ListedState, listedState } from '../search/list-articles.ts';

const STATES: Record<Exclude<ListedState, 'pinned'>, StatusKind> = {
  draft: 'off',
  embargoed: 'waiting',
  published: 'good',
  corrected: 'good',
  retracted: 'bad',
};

/** With the instant at which an embargo ends. */
export function articleStateMark(request: DeskRequest, article: Article): Html {
  const state = listedState(article, request.at);
  const until = state === 'embargoed' ? html` until ${when(request, article.publishedAt)}` : '';
  return html`${statusMark(STATES[state], state)}${until}`;
}
