/** Whether the texts of imprint and privacy policy can be shown. */
import type { Config } from '../../core/config/config.ts';
import { type Finding, problem, warning } from '../../core/finding.ts';
import { legalFindings } from '../../front/legal-document.ts';

export async function checkLegalTexts(config: Config): Promise<Finding[]> {
  const { problems, warnings } = await legalFindings(config);
  return [...problems.map(problem), ...warnings.map(warning)];
}
