/** Shows the problems that the checks of an edition found. */
import { html } from 'hono/html';
import type { Html } from '../../../web/desk/desk-request.ts';
import { takeNotice } from '../../../web/desk/notice.ts';
import { submitButton } from '../../../web/desk/parts/form.ts';
import type { EditionProblem } from '../../edition-checks/edition-problem.ts';
import { actPath, type DraftPageView, rowId } from './draft-view.ts';

/** Problems beside what they concern; nothing where there are none. */
export function problemsOf(problems: readonly EditionProblem[]): Html {
  if (problems.length === 0) return html``;
  return html`<ul class="problems">${problems.map(
    (problem) => html`<li dir="auto"${className(problem)}>${WORDS[problem.severity]}: ${problem.message}</li>`,
  )}</ul>`;
}

const WORDS = { error: 'Error', warning: 'Warning' } as const;

function className({ severity }: EditionProblem): Html {
  return severity === 'error' ? html` class="bad"` : html``;
}

/** Counts in words, such as `1 error, 2 warnings`. */
export function countProblems(problems: readonly EditionProblem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return countsText(errors, problems.length - errors);
}

export function countsText(errors: number, warnings: number): string {
  const count = (n: number, word: string): string[] => (n === 0 ? [] : [`${n} ${word}${n === 1 ? '' : 's'}`]);
  return [...count(errors, 'error'), ...count(warnings, 'warning')].join(', ') || 'nothing found';
}

/** The summary of the checks, each with a link to the story that it concerns. */
export function checksRegion(view: DraftPageView): Html {
  const { request, draft, composition, problems, mayEdit } = view;
  const unchecked = composition.kind === 'composed' ? null : `There is nothing to check: ${composition.reason}.`;
  const items = problems.map((problem) => {
    const { severity, message, place } = problem;
    const headline = place?.headline ?? place?.articleId ?? null;
    const link =
      place === null || place.articleId === null || place.block === 'corrections'
        ? (headline ?? '')
        : html`<a href="#${rowId(place.articleId)}" dir="auto">${headline}</a>`;
    const about = headline === null ? '' : html` (${link})`;
    return html`<li dir="auto"${className(problem)}>${WORDS[severity]}: ${message}${about}</li>`;
  });
  const result = unchecked === null ? countProblems(problems) : 'not possible';
  const action = request.desk.base + actPath(draft, 'links');
  const answer = takeNotice(request.c);
  const lookUp = html`<form method="post" action="${action}" class="buttons">
${submitButton('Look up links', { id: 'look-up-links' })}
<span class="hint">Requests every link of the edition, which takes up to 10 s.</span></form>`;
  return html`<section id="checks" data-region aria-labelledby="checks-title">
<h2 id="checks-title">Checks <span class="soft">${result}</span></h2>
${unchecked === null ? '' : html`<p class="soft">${unchecked}</p>`}
${items.length === 0 ? '' : html`<ul class="problems">${items}</ul>`}
${mayEdit && unchecked === null ? lookUp : ''}${
  answer?.place === 'checks' ? html`<p class="notice ${answer.kind}" role="alert">${answer.text}</p>` : ''
}</section>`;
}
