/** Input that was not used: where it came from, what is wrong with it, and its text. */
import { html } from 'hono/html';
import type { RejectionExcerpt, RejectionPlace } from '../../articles/rejections.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { formatCount } from '../../web/desk/parts/figure.ts';
import { badge } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';

/** Problems of one input that are listed. */
const PROBLEMS_SHOWN = 20;

const STAGES: Record<RejectionExcerpt['stage'], string> = {
  import: 'not imported',
  feed: 'left out of a feed',
  edition: 'left out of an edition',
};

export function rejectionsList(request: SignedInRequest, rejections: readonly RejectionExcerpt[]): Html {
  return html`<ul class="rows">${rejections.map((one) => html`<li>${rejection(request, one)}</li>`)}</ul>`;
}

function rejection(request: SignedInRequest, one: RejectionExcerpt): Html {
  const { stage, source, line, articleId, problems, raw, length, rejectedAt } = one;
  const [inLine, ofArticle] = [
    line === null ? '' : `, line ${line}`,
    articleId === null ? '' : `, article ${articleId}`,
  ];
  const place = source + inLine + ofArticle;
  const more = problems.length - PROBLEMS_SHOWN;
  const rest = length - [...raw].length;
  return html`<p>${badge(STAGES[stage], 'warn')} <strong dir="auto">${place}</strong> ${when(request, rejectedAt)}</p>
<ul>${problems.slice(0, PROBLEMS_SHOWN).map((problem) => html`<li dir="auto">${problem}</li>`)}${
    more > 0 ? html`<li>and ${formatCount(more)} more</li>` : ''
  }</ul>
<details><summary>The input</summary>
<pre dir="auto" tabindex="0">${raw}</pre>${
    rest > 0
      ? html`<p class="meaning">and ${formatCount(rest)} more characters: daywire rejected show ${one.key}</p>`
      : ''
  }</details>`;
}

/** The key of a place in pagers. */
export function placeKey(place: RejectionPlace | null): string | null {
  return place === null ? null : `${place.rejectedAt}.${place.key}`;
}

/** @returns null for any text that `placeKey` does not make, which shows the first page */
export function parsePlaceKey(text: string | undefined): RejectionPlace | null {
  const [, rejectedAt, key] = /^(\d{1,15})\.([\s\S]{1,4000})$/.exec(text ?? '') ?? [];
  return rejectedAt === undefined || key === undefined ? null : { rejectedAt: Number(rejectedAt), key };
}
