/**
 * Which requests of a page count as visits: those of browsers, as far as their headers tell. Pure.
 */
import { isBrowserName, readerName } from '../../feeds/readers/reader-name.ts';

export interface PageRequest {
  method: string;
  /** Of the response. */
  status: number;
  userAgent: string | undefined;
  /** Sec-Fetch-Mode; browsers send it, and `navigate` for a page that somebody opens. */
  fetchMode: string | undefined;
  /** Sec-Purpose: what a browser fetches ahead may never be looked at. */
  purpose: string | undefined;
}

/** A page that is not modified was looked at again. */
const SEEN = [200, 304];

/** Programs that say who they are do not count. Scanners of mail that pretend to be browsers do. */
export function isVisit({ method, status, userAgent, fetchMode, purpose }: PageRequest): boolean {
  if (method !== 'GET' || !SEEN.includes(status)) return false;
  if (fetchMode !== undefined && fetchMode !== 'navigate') return false;
  if (purpose?.includes('prefetch')) return false;
  return isBrowserName(readerName(userAgent).reader);
}
