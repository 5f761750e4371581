const PREFIX = 'newsletter:';

/** The id of a newsletter's job in the schedule. */
export function newsletterJobId(newsletter: string): string {
  return PREFIX + newsletter;
}

/** The newsletter that a job of the schedule is of, or null. */
export function newsletterOfJob(job: string): string | null {
  return job.startsWith(PREFIX) ? job.slice(PREFIX.length) : null;
}
