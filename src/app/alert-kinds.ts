import type { Permission } from '../accounts/permissions.ts';
import type { AlertKind } from '../core/alerts/alert-kind.ts';
import { WEBHOOK_ALERT_KINDS } from '../core/alerts/alerts.ts';
import { RUN_ALERT_KINDS } from '../core/schedule/alert-kinds.ts';
import { DELIVERY_ALERT_KINDS } from '../delivery/alerts.ts';
import { EDITION_ALERT_KINDS } from '../editions/alert-kinds.ts';
import { OUTLET_ALERT_KINDS } from '../outlets/alert-kinds.ts';
import { SITE_ALERT_KINDS } from '../own-sites/alert-kinds.ts';

/** All kinds of alerts. */
export const ALERT_KINDS: Record<string, AlertKind<Permission>> = {
  ...RUN_ALERT_KINDS,
  ...WEBHOOK_ALERT_KINDS,
  ...SITE_ALERT_KINDS,
  ...OUTLET_ALERT_KINDS,
  hub: { title: 'The hub', page: () => ({ label: 'Feeds', path: '/feeds#hub', needs: 'editions.read' }) },
  ...EDITION_ALERT_KINDS,
  'signup-limit': { title: 'Requests to subscribe are refused' },
  ...DELIVERY_ALERT_KINDS,
};
