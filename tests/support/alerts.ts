import { type AlertId, alertKey } from '../../src/core/alerts/alert-kind.ts';
import { alertText, listOpenAlerts } from '../../src/core/alerts/alerts.ts';
import type { Db } from '../../src/core/store/store.ts';

/** The alert with that key, such as `failed:publish`. */
export function alertNamed(key: string): AlertId {
  const [kind = '', ...rest] = key.split(':');
  return { kind, subject: rest.length === 0 ? {} : { of: rest.join(':') } };
}

/** The open alerts, as the status and the webhook name and show them. */
export async function openAlerts(db: Db) {
  return (await listOpenAlerts(db)).map((alert) => ({ ...alert, key: alertKey(alert), message: alertText(alert) }));
}
