/** The id of a newsletter's job in the schedule. */
export function newsletterJobId(newsletter: string): string {
  return `newsletter:${newsletter}`;
}
