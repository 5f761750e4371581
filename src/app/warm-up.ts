/** Renders pages before anybody asks for them: the first of a process takes ten times as long as later ones. */
import type { Hono } from 'hono';
import type { Log } from '../lib/log.ts';
import { errorLine } from '../lib/text/clean-text.ts';

/**
 * The front page, which uses most of the code and of the templates; the archive, which finds all months; the form with
 * the list of time zones; and a section, whose page lists stories in its own way.
 */
function firstPages([section]: readonly string[]): string[] {
  return ['/', '/archive', '/newsletters', ...(section === undefined ? [] : [`/sections/${section}`])];
}

/**
 * Requests pages of the site, one after another. Never rejects.
 * @param options.url of the publication
 * @param options.sections their ids
 * @param options.stop aborted to request no more
 */
export async function warmUp(
  site: Pick<Hono, 'request'>,
  { url, sections, stop, log }: { url: string; sections: readonly string[]; stop: AbortSignal; log: Log },
): Promise<void> {
  const base = new URL(url).pathname.replace(/\/+$/, '');
  try {
    for (const page of firstPages(sections)) {
      if (stop.aborted) return;
      await (await site.request(base + page)).arrayBuffer();
    }
  } catch (error) {
    log.warn({ error: errorLine(error) }, 'rendering the first pages failed');
  }
}
