/** The jobs of the schedule. */
import type { AppContext } from '../core/app-context.ts';
import type { Job } from '../core/schedule/job.ts';
import { CAPABILITIES } from './capabilities.ts';

export function jobsOf(app: AppContext): Job[] {
  return CAPABILITIES.flatMap((capability) => capability.jobs?.(app) ?? []);
}
