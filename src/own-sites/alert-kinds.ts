import type { AlertKind } from '../core/alerts/alert-kind.ts';
import { sourcePage } from '../sources/source-action.ts';

export const SITE_ALERT_KINDS: Record<string, AlertKind> = {
  source: { title: 'A site cannot be read', hint: 'It is tried again by itself.', page: sourcePage },
  incomplete: { title: 'The list of a site is incomplete', page: sourcePage },
  withdrawals: { title: 'Many posts of a site are gone', page: sourcePage },
};
