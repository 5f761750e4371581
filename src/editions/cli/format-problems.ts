/** The problems of an edition, as `daywire editions check` and `daywire editions show` print them. */
import { count } from '../../core/cli/text.ts';
import type { EditionProblem } from '../edition-checks/edition-problem.ts';

/** A line for each problem, then one with their number. */
export function formatEditionProblems(problems: readonly EditionProblem[]): string[] {
  const lines = problems.map(({ severity, place, message }) => {
    const where = place === null ? '' : `${formatPlace(place)}: `;
    return `${severity}: ${where}${message}`;
  });
  return [...lines, formatSummary(problems)];
}

/** `news, chips-2025 (China Buys Chips)`. */
function formatPlace({ block, articleId, headline }: NonNullable<EditionProblem['place']>): string {
  if (articleId === null) return block;
  return `${block}, ${articleId} (${headline})`;
}

function formatSummary(problems: readonly EditionProblem[]): string {
  if (problems.length === 0) return 'no problems';
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  return [
    ...(errors === 0 ? [] : [count(errors, 'error')]),
    ...(warnings === 0 ? [] : [count(warnings, 'warning')]),
  ].join(', ');
}
