/** What a thread does to render an edition. render-in-thread.ts starts it. */
import type { SiteView } from '../../core/config/site-view.ts';
import { openTemplates, type Templates } from '../../lib/templates.ts';
import type { EditionView } from './edition-view.ts';
import { type RenderedEdition, renderEdition } from './render.ts';

export interface RenderInput {
  view: EditionView;
  site: SiteView;
  source: Templates['source'];
  template: string;
  nonce: string;
  /** Templates of the same version are parsed once, which takes as long as rendering; default: each time. */
  templateVersion?: string | undefined;
}

export function renderFromFolder(input: RenderInput): Promise<RenderedEdition> {
  const { view, site, source, templateVersion, ...options } = input;
  return renderEdition(view, site, templatesOf(source, templateVersion), options);
}

let parsed: { version: string; templates: Templates } | null = null;

function templatesOf({ folder, zone }: Templates['source'], templateVersion?: string): Templates {
  if (templateVersion === undefined) return openTemplates(folder, zone);
  const version = JSON.stringify([folder, zone, templateVersion]);
  if (parsed?.version !== version) parsed = { version, templates: openTemplates(folder, zone) };
  return parsed.templates;
}
