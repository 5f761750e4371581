import { expect, it } from 'vitest';
import { ACCOUNT_ROLES, type AccountRole, may, type Permission } from '../../src/accounts/permissions.ts';

/** Written out, so that a change of the rules is a change of this table. */
const TABLE: Record<Permission, AccountRole[]> = {
  desk: ['editor', 'operator', 'audience', 'admin'],
  'editions.read': ['editor', 'operator', 'admin'],
  'drafts.edit': ['editor', 'admin'],
  'deliveries.read': ['editor', 'operator', 'admin'],
  'deliveries.control': ['operator', 'admin'],
  'audience.read': ['operator', 'audience', 'admin'],
  'audience.addresses': ['audience', 'admin'],
  'audience.change': ['audience', 'admin'],
  accounts: ['admin'],
  audit: ['admin'],
};

it.each(Object.entries(TABLE))('%s is for %j', (permission, roles) => {
  const allowed = ACCOUNT_ROLES.filter((role) => may([role], permission as Permission));
  expect(allowed).toEqual(roles);
  expect(may([], permission as Permission)).toBe(false);
});

it('an account with several roles may do what any of them may', () => {
  expect(may(['editor', 'audience'], 'audience.change')).toBe(true);
  expect(may(['editor', 'audience'], 'drafts.edit')).toBe(true);
  expect(may(['editor', 'audience'], 'deliveries.control')).toBe(false);
});
