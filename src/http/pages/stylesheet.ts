/**
 * The one stylesheet of all pages, made from its template, so that an editor can change it and the accent comes from config.
 */
import { createHash } from 'node:crypto';
import { isNotModified } from '../server/conditional.ts';
import type { Answer } from '../server/routes.ts';
import type { Site } from '../server/site.ts';

interface Stylesheet {
  css: string;
  version: string;
}

const sheets = new WeakMap<Site, Promise<Stylesheet>>();

/** Its path with its version, so that caches may keep it for good. */
export async function stylesheetPath(site: Site): Promise<string> {
  const { version } = await stylesheet(site);
  return `${site.base}/style.css?v=${version}`;
}

/** Answers `/style.css`. */
export function answerStylesheet(site: Site): Answer {
  return async (c) => {
    const { css, version } = await stylesheet(site);
    const kept = c.req.query('v') === version ? 'max-age=31536000, immutable' : 'max-age=300';
    const headers = { ETag: `"${version}"`, 'Cache-Control': `public, ${kept}` };
    if (isNotModified(c.req.raw.headers, { etag: headers.ETag })) return c.body(null, 304, headers);
    return c.body(css, 200, { ...headers, 'Content-Type': 'text/css; charset=utf-8' });
  };
}

function stylesheet(site: Site): Promise<Stylesheet> {
  let sheet = sheets.get(site);
  if (sheet === undefined) {
    sheet = render(site);
    sheets.set(site, sheet);
    // A template that fails is tried again, once it is mended.
    sheet.catch(() => sheets.delete(site));
  }
  return sheet;
}

async function render(site: Site): Promise<Stylesheet> {
  const css = await site.templates.text('pages/style.css.liquid', { site: site.view });
  return { css, version: createHash('sha256').update(css).digest('hex').slice(0, 12) };
}
