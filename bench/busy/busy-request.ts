/**
 * Requests to a newsroom, repeated where the server closed an idle connection just then.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const ATTEMPTS = 3;

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
      return { ok, status, headers, text: await response.text() };
    } catch (error) {
      if (attempt === ATTEMPTS) throw new Error(`${url} does not respond`, { cause: error });
      await sleep(10);
    }
  }
}
