/**
 * Accounts and invitations as text.
 */

import { table } from '../../core/cli/text.ts';
import { localDateTime } from '../../lib/time.ts';
import type { Account } from '../account.ts';
import type { Invitation } from '../invitations.ts';

export function formatInvitation({ email, account, roles, expiresAt }: Invitation, link: string, zone: string): string {
  const purpose =
    account === null ? `create an account (${roles.join(', ')})` : `set a new password of ${account.name}`;
  return [
    `Open this link to ${purpose} for ${email}. It works once, until ${localDateTime(expiresAt, zone)} (${zone}):`,
    link,
  ].join('\n');
}

export function formatAccounts(
  accounts: readonly (Account & { lastSeenAt: number | null })[],
  invitations: readonly Invitation[],
  zone: string,
): string[] {
  if (accounts.length + invitations.length === 0) {
    return ['no accounts: "daywire accounts invite ADDRESS --role admin" prints a link for the first one'];
  }
  const time = (instant: number | null): string => (instant === null ? '' : localDateTime(instant, zone));
  const rows = accounts.map(({ name, email, roles, disabledAt, lastSeenAt }) => [
    ...[name, email, roles.join(', '), disabledAt === null ? '' : `disabled ${time(disabledAt)}`, time(lastSeenAt)],
  ]);
  const open = invitations.map(({ email, account, roles, expiresAt }) => {
    const purpose = account === null ? roles.join(', ') : `new password of ${account.name}`;
    return `invited: ${email} (${purpose}), until ${time(expiresAt)}`;
  });
  return [...(rows.length === 0 ? [] : table([['name', 'address', 'roles', 'status', 'last seen'], ...rows])), ...open];
}
