/** Whether the texts of imprint and privacy policy can be shown. */
import type { Config } from '../../config/config.ts';
import { legalFindings } from '../../http/pages/legal-document.ts';
import { type Finding, problem, warning } from './finding.ts';

export async function checkLegalTexts(config: Config): Promise<Finding[]> {
  const { problems, warnings } = await legalFindings(config);
  return [...problems.map(problem), ...warnings.map(warning)];
}
