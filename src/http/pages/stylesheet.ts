/**
 * The one stylesheet of all pages, made from its template, so that an editor can change it and the accent comes from config.
 */
import { createHash } from 'node:crypto';
import { isNotModified } from '../server/conditional.ts';
import type { RequestHandler } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';

interface Stylesheet {
  css: string;
  version: string;
}

const sheets = new WeakMap<WebContext, Promise<Stylesheet>>();

/** Its path with its version, so that caches may keep it for good. */
export async function stylesheetPath(web: WebContext): Promise<string> {
  const { version } = await stylesheet(web);
  return `${web.base}/style.css?v=${version}`;
}

/** Answers `/style.css`. */
export function serveStylesheet(web: WebContext): RequestHandler {
  return async (c) => {
    const { css, version } = await stylesheet(web);
    const kept = c.req.query('v') === version ? 'max-age=31536000, immutable' : 'max-age=300';
    const headers = { ETag: `"${version}"`, 'Cache-Control': `public, ${kept}` };
    if (isNotModified(c.req.raw.headers, { etag: headers.ETag })) return c.body(null, 304, headers);
    return c.body(css, 200, { ...headers, 'Content-Type': 'text/css; charset=utf-8' });
  };
}

function stylesheet(web: WebContext): Promise<Stylesheet> {
  let sheet = sheets.get(web);
  if (sheet === undefined) {
    sheet = render(web);
    sheets.set(web, sheet);
    // A template that fails is tried again, once it is mended.
    sheet.catch(() => sheets.delete(web));
  }
  return sheet;
}

async function render(web: WebContext): Promise<Stylesheet> {
  const css = await web.templates.text('pages/style.css.liquid', { site: web.view });
  return { css, version: createHash('sha256').update(css).digest('hex').slice(0, 12) };
}
