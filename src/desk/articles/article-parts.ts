/** What several pages of articles show. */
import { html } from 'hono/html';
import type { Article } from '../../articles/article.ts';
import { type ListedState, listedState } from '../../articles/search/list-articles.ts';
import type { DeskContext, DeskRequest, Html } from '../desk-request.ts';
import { type StatusKind, statusMark } from '../parts/status-mark.ts';
import { when } from '../parts/when.ts';

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
