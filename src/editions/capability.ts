import type { AlertKind, AlertSubject } from '../core/alerts/alert-kind.ts';
import type { Capability } from '../core/capability.ts';
import { repeat } from '../lib/repeat.ts';
import { DAY, localDate, MINUTE, SECOND } from '../lib/time.ts';
import { remindOfApprovals } from './draft/approval-reminders.ts';
import { closedPath, draftPath, nextPath } from './draft/draft-target.ts';
import { checkDrafts, updateStrandedAlerts } from './draft/stranded-drafts.ts';
import { deleteOldLinkStates } from './links/link-cache.ts';
import { foldVisits } from './visits/visit-rows.ts';

const needs = 'editions.read' as const;

const slotOf = ({ newsletter = '', slot = '' }: AlertSubject) => ({
  newsletter: { id: String(newsletter) },
  slot: { label: String(slot) },
});

/** The alerts about drafts and editions, before their delivery. */
const EDITION_ALERT_KINDS: Record<string, AlertKind> = {
  'approval-reminder': {
    title: 'An approval is needed',
    page: (subject) => ({ label: 'Its draft', path: draftPath(slotOf(subject)), needs }),
  },
  'approval-changed': {
    title: 'An edition differs from what was approved',
    page: (subject) => ({
      label: 'The edition',
      path: subject.slot === undefined ? '/editions' : closedPath(slotOf(subject)),
      needs,
    }),
  },
  send: {
    title: 'An edition was not sent',
    page: ({ newsletter = '' }) => ({ label: 'Its next edition', path: nextPath(String(newsletter)), needs }),
  },
  'stranded-draft': { title: 'A draft has no effect' },
};

/** More than a year: a season is compared with the one before. */
const COUNTS_KEPT_FOR = 400 * DAY;

export const editionsCapability: Capability = {
  startTasks: (app) => [
    repeat(15 * SECOND, 'reminding of approvals', app.log, () => remindOfApprovals(app)),
    repeat(MINUTE, 'looking for drafts without a slot', app.log, () => updateStrandedAlerts(app)),
  ],
  async runRetention({ store: { db }, config: { publication } }, now) {
    return {
      visits: await foldVisits(db, localDate(now - COUNTS_KEPT_FOR, publication.zone)),
      links: await deleteOldLinkStates(db, now),
    };
  },
  checks: { content: checkDrafts },
  alertKinds: EDITION_ALERT_KINDS,
};
