/** What several pages of articles show. */
import { html } from 'hono/html';
import { localDateTime } from '../../lib/time.ts';
import type { DeskRequest } from '../../web/desk/desk-request.ts';
import type { Html } from '../../web/desk/html.ts';
import { help } from '../../web/desk/parts/figure.ts';
import { type StatusKind, statusMark } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { type Article, isPublic } from '../article.ts';
import type { FormerFields } from '../edits/edit-log.ts';
import { DESK_ORIGIN, isFileOrigin, originName, ROUNDUP_ORIGIN } from '../import/origin.ts';
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

/** Whether readers see an article. @param now after the act, whose time may be that of publication */
export function releaseText(article: Article, now: number, zone: string): string {
  if (isPublic(article, now)) return 'It is published: readers see it within seconds.';
  const state = listedState(article, now);
  if (state === 'embargoed') return `It is scheduled: readers see it from ${localDateTime(article.publishedAt, zone)}.`;
  return state === 'draft' ? 'It is a draft: readers do not see it.' : `It is ${state}: readers do not see it.`;
}

export function originText(id: string, origin: string | null): string {
  if (origin === DESK_ORIGIN) return 'It was written at the desk.';
  if (origin === ROUNDUP_ORIGIN) return 'It was picked for the roundup.';
  if (origin === null) return `Nothing brings the article ${id} again.`;
  return isFileOrigin(origin) ? `The file ${origin} brings this article.` : `It comes from ${originName(origin)}.`;
}

/** Above the form of an edit; nothing for an article that nothing brings again. */
export function importWarning(origin: string | null): Html | '' {
  if (origin === null || origin === DESK_ORIGIN || origin === ROUNDUP_ORIGIN) return '';
  const who = isFileOrigin(origin) ? `The file ${origin}` : originName(origin).replace(/^t/, 'T');
  const meaning =
    'What you change here stays until the same field changes there: then that wins, the import says so, and your ' +
    'text is kept below "Changes at the desk".';
  return html`<div class="hint">${who} brings this article. ${help('where it comes from', meaning)}</div>`;
}

/** The fields of before, each with its name and its text; empty for none. */
export function formerTexts({ headline, kicker, dek, section, body, pinned, status }: FormerFields): FormerText[] {
  const texts: [string, string | null | undefined][] = [
    ['Headline', headline],
    ['Kicker', kicker],
    ['Dek', dek],
    ['Section', section],
    ['Body', body?.source],
    ['Pinned', pinned === undefined ? undefined : pinned ? 'yes' : 'no'],
    ['State', status === undefined ? undefined : stateText(status)],
  ];
  return texts.flatMap(([label, text]) => (text === undefined ? [] : [{ label, text: text ?? '' }]));
}

interface FormerText {
  label: string;
  text: string;
}

export function stateText(status: Article['status']): string {
  return 'note' in status ? `${status.state}: ${status.note}` : status.state;
}
