/** What a thread does to render an edition. render-in-thread.ts starts it. */
import type { SiteView } from '../../config/site-view.ts';
import { openTemplates, type Templates } from '../../lib/templates.ts';
import type { EditionView } from './edition-view.ts';
import { type RenderedEdition, renderEdition } from './render.ts';

export function renderFromFolder(input: {
  view: EditionView;
  site: SiteView;
  source: Templates['source'];
  template: string;
  nonce: string;
}): Promise<RenderedEdition> {
  const { view, site, source, ...options } = input;
  return renderEdition(view, site, openTemplates(source.folder, source.zone), options);
}
