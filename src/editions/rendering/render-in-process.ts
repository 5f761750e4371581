/**
 * Renders editions in child processes: MJML blocks the event loop for more than a second when it is first used, a
 * template may loop for ever, and a thread would leave 25 MB behind.
 */
import type { SiteView } from '../../core/config/site-view.ts';
import type { Templates } from '../../lib/templates.ts';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { ThreadPool } from '../../lib/threads/thread-pool.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import type { EditionView } from './edition-view.ts';
import type { RenderedEdition } from './render.ts';

const RENDER = threadJob<typeof import('./render-job.ts').renderFromFolder>(
  import.meta.url,
  './render-job',
  'renderFromFolder',
);

/** Renders as `renderEdition` does. */
export type RenderFunction = (
  view: EditionView,
  site: SiteView,
  templates: Pick<Templates, 'source'>,
  options: { template: string; nonce: string },
) => Promise<RenderedEdition>;

/** @param idleTime milliseconds until a process without work ends: the next one loads MJML again, for a second */
export function openRenderer(size: number, idleTime: number): RenderFunction {
  const pool = new ThreadPool(size, idleTime, 'process');
  return async (view, site, { source }, options) => {
    try {
      return await pool.run(RENDER, { view, site, source, ...options }, { timeLimit: MINUTE });
    } catch (error) {
      if (!(error instanceof JobError) || error.reason === 'threw') throw error;
      throw new Error(`the template ${options.template} ${error.message}`, { cause: error });
    }
  };
}

/** With the templates as they are on disk now. A template that loops for ever does not hold up those of others. */
export const renderInProcess = openRenderer(2, 5 * SECOND);
