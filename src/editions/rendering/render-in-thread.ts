/**
 * Renders editions in a thread: MJML blocks the event loop for more than a second when it is first used, and a template
 * may loop for ever.
 */
import type { SiteView } from '../../config/site-view.ts';
import type { Templates } from '../../lib/templates.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { MINUTE } from '../../lib/time.ts';
import type { EditionView } from './edition-view.ts';
import type { RenderedEdition } from './render.ts';

const RENDER = threadJob<typeof import('./render-job.ts').renderFromFolder>(
  import.meta.url,
  './render-job',
  'renderFromFolder',
);

/** As `renderEdition`, with the templates as they are on disk now. */
export function renderInThread(
  view: EditionView,
  site: SiteView,
  { source }: Pick<Templates, 'source'>,
  options: { template: string; nonce: string },
): Promise<RenderedEdition> {
  return runInThread(RENDER, { view, site, source, ...options }, { timeLimit: MINUTE });
}
