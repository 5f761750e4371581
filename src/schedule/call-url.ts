/**
 * Calls a URL that the operator chose: an alert webhook, a heartbeat. Private addresses are his to name.
 */
import { SECOND } from '../lib/time.ts';

const TIME_LIMIT = 10 * SECOND;

/**
 * GET, or POST where there is JSON.
 * @returns null where it answered 2xx, else what went wrong, without the URL, which may hold a secret
 */
export async function callUrl(url: string, body?: { json: object }): Promise<string | null> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIME_LIMIT),
      headers: { 'user-agent': 'daywire' },
      ...(body && {
        method: 'POST',
        body: JSON.stringify(body.json),
        headers: { 'content-type': 'application/json', 'user-agent': 'daywire' },
      }),
    });
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TIME_LIMIT / SECOND} s`;
    // The message may name the address: only the code is safe to repeat.
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    return typeof code === 'string' ? `no connection (${code})` : 'no connection';
  }
}
