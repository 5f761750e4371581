/** What an account may do at the desk. Pure. An account holds one or more roles, and may do what any of them may. */
export const ACCOUNT_ROLES = ['editor', 'operator', 'audience', 'admin'] as const;
export type AccountRole = (typeof ACCOUNT_ROLES)[number];

/** Roles by permission; an admin may do everything. */
const GRANTED = {
  /** Sign in, see Today, and change the own account. */
  desk: ['editor', 'operator', 'audience'],
  /** See editions, their drafts, the roundup, articles, sources, feeds and runs. */
  'editions.read': ['editor', 'operator'],
  /** Edit drafts, the roundup and articles; approve, send and reissue editions. */
  'drafts.edit': ['editor'],
  /** See figures of deliveries. Without `audience.read`, no address. */
  'deliveries.read': ['editor', 'operator'],
  /** Pause, resume, retry, settle and cancel deliveries; poll sources. */
  'deliveries.control': ['operator'],
  /** See subscribers. Without `audience.addresses`, their addresses are masked. */
  'audience.read': ['operator', 'audience'],
  'audience.addresses': ['audience'],
  /** Export, import, erase and suppress subscribers. */
  'audience.change': ['audience'],
  /** Invite and disable accounts, and change their roles. */
  accounts: [],
  /** See the audit log. */
  audit: [],
} as const satisfies Record<string, readonly AccountRole[]>;

export type Permission = keyof typeof GRANTED;

/** Whether an account with these roles may do it. */
export function may(roles: readonly AccountRole[], permission: Permission): boolean {
  const granted: readonly AccountRole[] = GRANTED[permission];
  return roles.some((role) => role === 'admin' || granted.includes(role));
}
