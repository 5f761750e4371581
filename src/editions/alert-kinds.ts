import type { AlertKind, AlertSubject } from '../core/alerts/alert-kind.ts';
import { closedPath, draftPath, nextPath } from './draft/draft-address.ts';

const needs = 'editions.read' as const;

const slotOf = ({ newsletter = '', slot = '' }: AlertSubject) => ({
  newsletter: { id: String(newsletter) },
  slot: { label: String(slot) },
});

/** The alerts about drafts and editions, before their delivery. */
export const EDITION_ALERT_KINDS: Record<string, AlertKind> = {
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
