/** What several pages of articles show. */
import { html } from 'hono/html';
import type { DeskContext, DeskRequest, Html } from '../../web/desk/desk-request.ts';
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

/** The path of an article's page below the desk's. */
export function articlePath(id: string): string {
  return `/articles/${encodeURIComponent(id)}`;
}

/** With the instant at which an embargo ends. */
export function stateMark(request: DeskRequest, article: Article): Html {
  const state = listedState(article, request.at);
  const until = state === 'embargoed' ? html` until ${when(request, article.publishedAt)}` : '';
  return html`${statusMark(STATES[state], state)}${until}`;
}

/** The title of a section, or its id where the configuration no longer has it. */
export function sectionTitle({ app: { config } }: DeskContext, section: string | null): string {
  return config.sections.find(({ id }) => id === section)?.title ?? section ?? '';
}
