/**
 * Who may sign in at the desk.
 */
import type { AccountRole } from './permissions.ts';

/** An account behind a valid session. */
export interface SignedInAccount {
  id: number;
  /** The editor's name in logs. */
  name: string;
  email: string;
  roles: readonly AccountRole[];
  /** Whether single keys act on pages. */
  hasShortcuts: boolean;
}
