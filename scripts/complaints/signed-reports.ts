/**
 * Requests of a mail provider's adapter to /webhooks/bounces, signed as Standard Webhooks specifies.
 */
import { createHmac } from 'node:crypto';
import { SECOND } from '../../src/lib/time.ts';

export interface SignedReport {
  kind: 'hard' | 'soft' | 'complaint';
  /** The token of a return path. */
  token: string;
  status?: string;
}

let sent = 0;

/** The options of a `fetch` that posts reports. */
export function signedReports(secret: string, reports: readonly SignedReport[], now: number) {
  const body = JSON.stringify({ reports });
  const id = `msg_${++sent}`;
  const seconds = Math.floor(now / SECOND);
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64');
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
  return { method: 'POST', body, headers };
}
