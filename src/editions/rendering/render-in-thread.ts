/**
 * Renders editions in a thread: MJML blocks the event loop for more than a second when it is first used, and a template
 * may loop for ever.
 */
import type { SiteView } from '../../core/config/site-view.ts';
import type { Templates } from '../../lib/templates.ts';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread, type ThreadPool } from '../../lib/threads/thread-pool.ts';
import { MINUTE } from '../../lib/time.ts';
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

/** With the templates as they are on disk now. */
export const renderInThread: RenderFunction = (...request) => renderIn(runInThread, ...request);

/** In a thread of the pool. */
export function renderInPool(pool: ThreadPool): RenderFunction {
  return (...request) => renderIn(pool.run.bind(pool), ...request);
}

function renderIn(
  run: typeof runInThread,
  ...[view, site, { source }, options]: Parameters<RenderFunction>
): Promise<RenderedEdition> {
  return run(RENDER, { view, site, source, ...options }, { timeLimit: MINUTE }).catch((error: unknown) => {
    if (!(error instanceof JobError) || error.reason === 'threw') throw error;
    throw new Error(`the template ${options.template} ${error.message}`, { cause: error });
  });
}
