/**
 * What a list manager's export says about a person, in daywire's words, and what an import makes of it. Only
 * `subscribed` ever subscribes somebody.
 */
import type { SuppressionReason } from '../../core/store/tables.ts';

/** From the weakest to the strictest: of several statuses of one row, the last one in this order is its status. */
export const IMPORT_STATUSES = [
  'subscribed',
  'inactive',
  'unconfirmed',
  'unsubscribed',
  'bounced',
  'blocked',
  'complained',
] as const;

export type ImportStatus = (typeof IMPORT_STATUSES)[number];

export interface StatusEffect {
  /** Whether the row subscribes, ends a subscription, or does neither. */
  subscription: 'subscribes' | 'ends' | 'none';
  suppressed: SuppressionReason | null;
}

const SUPPRESSIONS: Partial<Record<ImportStatus, SuppressionReason>> = {
  bounced: 'hard-bounce',
  blocked: 'operator',
  complained: 'complaint',
};
/** A bounce is no decision of the subscriber, and a new opt-in lifts it: the subscription itself does not end. */
const ENDING: readonly ImportStatus[] = ['unsubscribed', 'blocked', 'complained'];

/** Why a row of that status is not imported. */
export const NOT_IMPORTED: Partial<Record<ImportStatus, string>> = {
  unconfirmed: 'the file says that the person has not confirmed: only a new request can subscribe the address',
  inactive: 'the file says that the address is not mailed any more: only a new request can subscribe it',
};

/** The strictest of some statuses. */
export function strictest(statuses: readonly ImportStatus[]): ImportStatus {
  const ranks = statuses.map((status) => IMPORT_STATUSES.indexOf(status));
  return IMPORT_STATUSES[Math.max(0, ...ranks)] as ImportStatus;
}

/** What an import does with a row that has these statuses: each of them counts. */
export function effectOf(statuses: readonly ImportStatus[]): StatusEffect {
  const ends = statuses.some((status) => ENDING.includes(status));
  const subscribes = strictest(statuses) === 'subscribed';
  return {
    subscription: ends ? 'ends' : subscribes ? 'subscribes' : 'none',
    suppressed: SUPPRESSIONS[strictest(statuses)] ?? null,
  };
}

/** Whether `status` says less against mailing somebody than `other`. */
export function isWeaker(status: ImportStatus, other: ImportStatus): boolean {
  return IMPORT_STATUSES.indexOf(status) < IMPORT_STATUSES.indexOf(other);
}

export function isImportStatus(text: string): text is ImportStatus {
  return (IMPORT_STATUSES as readonly string[]).includes(text);
}
