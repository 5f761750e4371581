/**
 * Checks whether those who have an account can sign in.
 */
import { hasAccounts } from '../../accounts/account.ts';
import { insecureSiteMessage, keepsSessions } from '../../accounts/secure-site.ts';
import type { Config } from '../../config/config.ts';
import type { Store } from '../../store/store.ts';
import { type Finding, warning } from './finding.ts';

export async function checkDesk({ db }: Store, { publication }: Config, now: number): Promise<Finding[]> {
  if (keepsSessions(publication.url) || !(await hasAccounts(db, now))) return [];
  return [warning(insecureSiteMessage(publication.url))];
}
