import type { AlertKind } from '../core/alerts/alert-kind.ts';
import { sourcePage } from '../sources/source-action.ts';

export const OUTLET_ALERT_KINDS: Record<string, AlertKind> = {
  'outlet-held': { title: 'Items of an outlet wait for a decision', page: sourcePage },
  'outlet-feed': { title: 'The feed of an outlet cannot be read', page: sourcePage },
  grouping: {
    title: 'Reports cannot be grouped',
    hint: 'It is tried again by itself.',
    page: () => ({ label: 'Roundup', path: '/roundup', needs: 'editions.read' }),
  },
};
