/**
 * The parts of the work: one process does all of them, or several processes share them.
 */
export const ROLES = ['web', 'schedule', 'deliver'] as const;
export type Role = (typeof ROLES)[number];
