/**
 * The jobs of the schedule.
 */
import type { AppContext } from '../core/app-context.ts';
import type { Job } from '../core/schedule/job.ts';
import { newsletterJobs } from '../delivery/closing/newsletter-jobs.ts';
import { publishJobs } from '../feeds/publish/publish-jobs.ts';

export function jobsOf(app: AppContext): Job[] {
  return [...publishJobs(app), ...newsletterJobs(app)];
}
