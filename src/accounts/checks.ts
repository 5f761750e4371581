/**
 * Checks whether those who have an account can sign in.
 */
import type { Config } from '../core/config/config.ts';
import { type Finding, warning } from '../core/finding.ts';
import type { Store } from '../core/store/store.ts';
import { hasAccounts } from './account.ts';
import { insecureSiteMessage, keepsSessions } from './secure-site.ts';

export async function checkDesk({ db }: Store, { publication }: Config, now: number): Promise<Finding[]> {
  if (keepsSessions(publication.url) || !(await hasAccounts(db, now))) return [];
  return [warning(insecureSiteMessage(publication.url))];
}
