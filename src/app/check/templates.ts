/**
 * Checks the templates.
 */
import type { Config } from '../../core/config/config.ts';
import { type Finding, ok, problem } from '../../core/finding.ts';
import type { Templates } from '../../lib/templates.ts';
import { templateProblems } from '../templates/template-problems.ts';

/** Renders all templates that are used, with sample data. */
export async function checkTemplates(config: Config, templates: Templates, now: number): Promise<Finding[]> {
  const problems = await templateProblems(config, templates, now);
  return problems.length > 0 ? problems.map(problem) : [ok('templates: all parse, and all that are used render')];
}
