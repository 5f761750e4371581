/** Parts of pages that many pages have alike, such as a form. */
import { LRUCache } from 'lru-cache';
import { oncePer } from '../../lib/once-per.ts';
import type { WebContext } from '../server/web-context.ts';

type Data = () => object;

/**
 * Renders a template of `templates/pages/parts/` once, and again after a failure of any template.
 * @param key what the data depends on, besides the configuration
 */
export function renderOnce(web: WebContext, template: string, key: string, data: Data): Promise<string> {
  return fragmentsOf(web).memo(`${web.templates.generation} ${template} ${key}`, { context: { template, data } });
}

/** Most are links of feeds: a few hundred bytes. */
const MAX_FRAGMENTS = 500;

const fragmentsOf = oncePer<WebContext, LRUCache<string, Promise<string>, { template: string; data: Data }>>(
  ({ templates, view }) =>
    new LRUCache({
      max: MAX_FRAGMENTS,
      memoMethod: (_key, _stale, { context: { template, data } }) =>
        templates.html(`pages/parts/${template}.liquid`, data(), view.language),
    }),
);
