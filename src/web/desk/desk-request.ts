/** What handlers of the desk get. */
import type { Context } from 'hono';
import type { SignedInAccount } from '../../accounts/account.ts';
import type { AuditedAct } from '../../accounts/audit.ts';
import type { Permission } from '../../accounts/permissions.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { InTransaction } from '../../core/store/store.ts';
import type { WebContext } from '../server/web-context.ts';
import type { LiveHub } from './live/live-hub.ts';

export type { Html } from './html.ts';

export interface NavigationItem {
  id: string;
  label: string;
  /** Below the desk's path. */
  path: string;
  needs: Permission;
}

/** Items that belong together; those that an account may not use are not shown. */
export interface NavigationGroup {
  id: string;
  label: string;
  items: readonly NavigationItem[];
}

/** What all requests share. */
export interface DeskContext {
  app: AppContext;
  web: WebContext;
  /** The path of the desk, with that of `publication.url`: `/desk`. */
  base: string;
  live: LiveHub;
  navigation: readonly NavigationGroup[];
}

export interface DeskRequest {
  c: Context;
  desk: DeskContext;
  /** Null only on routes without permission, such as the sign-in page. */
  account: DeskAccount | null;
  /** The fields of a posted form; empty for GET. */
  form: URLSearchParams;
  /** When the request began, epoch milliseconds. */
  at: number;
  /** Whether the account may do that. */
  may(permission: Permission): boolean;
}

/** With the IP address of the client, which the security log names. */
type DeskAccount = SignedInAccount & { client: string | null };

/** A request of somebody who has signed in. */
export interface SignedInRequest extends DeskRequest {
  account: DeskAccount;
  /** Writes the row of an act into the audit log, at the end of the act's transaction. */
  audit(act: string, subject: string, detail?: AuditedAct['detail']): InTransaction;
}
