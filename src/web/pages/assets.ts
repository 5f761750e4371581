/** The stylesheet, the icons and robots.txt. */
import type { Handler } from 'hono';
import { sha256 } from '../../lib/sha256.ts';
import { isNotModified } from '../server/conditional.ts';
import type { AddRoutes, WebContext } from '../server/web-context.ts';
import { addIcons } from './icons.ts';

const ONE_DAY = { 'Cache-Control': 'public, max-age=86400' };

interface Stylesheet {
  css: string;
  version: string;
}

const stylesheets = new WeakMap<WebContext, Promise<Stylesheet>>();

/** Its path with its version, so that caches may store it forever. */
export async function stylesheetPath(web: WebContext): Promise<string> {
  const { version } = await stylesheetOf(web);
  return `${web.base}/style.css?v=${version}`;
}

export const addAssets: AddRoutes = (site, web) => {
  site.get('/style.css', serveStylesheet(web));
  addIcons(site, web);
  site.get('/robots.txt', serveRobots(web));
};

/** `/style.css`: rendered from a template, which an editor can change, with the accent colours of the configuration. */
function serveStylesheet(web: WebContext): Handler {
  return async (c) => {
    const { css, version } = await stylesheetOf(web);
    const lifetime = c.req.query('v') === version ? 'max-age=31536000, immutable' : 'max-age=300';
    const headers = { ETag: `"${version}"`, 'Cache-Control': `public, ${lifetime}` };
    if (isNotModified(c.req.raw.headers, { etag: headers.ETag })) return c.body(null, 304, headers);
    return c.body(css, 200, { ...headers, 'Content-Type': 'text/css; charset=utf-8' });
  };
}

/** `/robots.txt`: closes the pages of one subscriber and those of searches to crawlers, and names the sitemaps. */
function serveRobots(web: WebContext): Handler {
  const closed = ['account/', 'confirm/', 'preferences/', 'search', 'unsubscribe/'].map(
    (path) => `Disallow: ${web.base}/${path}\n`,
  );
  const sitemaps = ['sitemap.xml', 'news-sitemap.xml'].map((file) => `Sitemap: ${web.view.url}/${file}\n`);
  return (c) => c.text(`User-agent: *\n${closed.join('')}\n${sitemaps.join('')}`, 200, ONE_DAY);
}

function stylesheetOf(web: WebContext): Promise<Stylesheet> {
  let stylesheet = stylesheets.get(web);
  if (stylesheet === undefined) {
    stylesheet = renderStylesheet(web);
    stylesheets.set(web, stylesheet);
    // Try again after a template error.
    stylesheet.catch(() => stylesheets.delete(web));
  }
  return stylesheet;
}

async function renderStylesheet(web: WebContext): Promise<Stylesheet> {
  const written = await web.templates.text('pages/style.css.liquid', { site: web.view }, web.view.language);
  const css = written.replace(COMMENTS, '$1').replace(SPACES, '$1$2$3$4$5');
  return { css, version: sha256(css).slice(0, 12) };
}

// Both match strings first, and keep them. Without comments and needless spaces, the stylesheet is a sixth smaller.
const COMMENTS = /("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\/\*.*?\*\//gs;
const SPACES = /("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\s*(?:;\s*)?(})\s*|\s*([{;,])\s*|(:)\s+|(\s)\s*/g;
