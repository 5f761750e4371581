/**
 * Text output of imports.
 */
import type { ArticleImportReport } from '../../articles/import/report.ts';

/** Problems, one a line, and a summary. */
export function formatImport(report: ArticleImportReport): { problems: string[]; summary: string } {
  const { added, updated, unchanged, rejected, rejectedCount, warnings, warningCount } = report;
  const problems = [...rejected, ...warnings].flatMap((entry) => entry.problems);
  const unlisted = rejectedCount + warningCount - rejected.length - warnings.length;
  if (unlisted > 0) problems.push(`and ${unlisted} more: "daywire status" lists what was rejected`);
  const rejections = rejectedCount === 0 ? '' : `, ${rejectedCount} rejected`;
  return { problems, summary: `${added} added, ${updated} updated, ${unchanged} unchanged${rejections}` };
}
