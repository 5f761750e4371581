/** Requests to URLs that the operator has chosen, such as a webhook: private addresses are allowed. */
import { SECOND } from './time.ts';

const TIME_LIMIT = 10 * SECOND;

/**
 * Sends a GET request, or with content a POST request. Follows no redirect.
 * @returns null for a 2xx response, else a problem that does not contain the URL, which may hold a secret
 */
export async function callUrl(
  url: string,
  { json, form, signal }: { json?: object; form?: URLSearchParams; signal?: AbortSignal } = {},
): Promise<string | null> {
  const timeout = AbortSignal.timeout(TIME_LIMIT);
  const body = json === undefined ? form : JSON.stringify(json);
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      headers: { 'user-agent': 'daywire', ...(json && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body }),
    });
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    if (timeout.aborted) return `no answer within ${TIME_LIMIT / SECOND} s`;
    // The message may contain the address; the code is safe to repeat.
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    return typeof code === 'string' ? `no connection (${code})` : 'no connection';
  }
}
