/**
 * Checks whether those who have an account can sign in.
 */
import { hasAccounts } from '../../accounts/account.ts';
import { insecureSiteMessage, keepsSessions } from '../../accounts/secure-site.ts';
import type { Config } from '../../core/config/config.ts';
import { type Finding, warning } from '../../core/finding.ts';
import type { Store } from '../../core/store/store.ts';

export async function checkDesk({ db }: Store, { publication }: Config, now: number): Promise<Finding[]> {
  if (keepsSessions(publication.url) || !(await hasAccounts(db, now))) return [];
  return [warning(insecureSiteMessage(publication.url))];
}
