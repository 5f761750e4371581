/**
 * Requests to a newsroom, repeated where the server closed an idle connection just then, and where it asks to wait.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/lib/time.ts';

const ATTEMPTS = 3;
const TOO_MANY_REQUESTS = 429;

export interface BusyResponse {
  ok: boolean;
  status: number;
  headers: Headers;
  text: string;
}

/** @throws Error where there is no response after three attempts */
export async function request(url: string | URL, options: RequestInit = {}): Promise<BusyResponse> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url, options);
      const { ok, status, headers } = response;
      const text = await response.text();
      if (status !== TOO_MANY_REQUESTS) return { ok, status, headers, text };
      attempt--;
      await sleep(Number(headers.get('Retry-After') ?? 1) * SECOND);
    } catch (error) {
      if (attempt === ATTEMPTS) throw new Error(`${url} does not respond`, { cause: error });
      await sleep(10);
    }
  }
}
