/**
 * The small files that browsers and crawlers ask every site for.
 */
import type { RequestHandler } from './routes.ts';
import type { WebContext } from './web-context.ts';

const A_DAY = { 'Cache-Control': 'public, max-age=86400' };

/** Answers `/favicon.svg`: a front page in small, under the accent's rule. */
export function serveFavicon(web: WebContext): RequestHandler {
  const { light, dark } = web.view.accent;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<style>.p{fill:#fbfaf7}.i{fill:#1b1a18}.a{fill:${light}}@media(prefers-color-scheme:dark){.p{fill:#161513}.i{fill:#ece8e1}.a{fill:${dark}}}</style>
<rect class="p" width="32" height="32" rx="5"/><rect class="a" x="5" y="6" width="22" height="5"/>
<path class="i" d="M5 14h10v3H5zM5 19h10v2H5zM5 23h10v2H5zM18 14h9v11h-9z"/>
</svg>
`;
  return (c) => c.body(svg, 200, { ...A_DAY, 'Content-Type': 'image/svg+xml' });
}

/** Answers `/favicon.ico`, which is asked for where a page's own link is not read. */
export function redirectFavicon(web: WebContext): RequestHandler {
  return (c) => c.redirect(`${web.base}/favicon.svg`, 301);
}

/** Answers `/robots.txt`: everything may be read but pages that belong to one subscriber. */
export function serveRobots(web: WebContext): RequestHandler {
  const closed = ['confirm', 'preferences', 'unsubscribe'].map((folder) => `Disallow: ${web.base}/${folder}/\n`);
  return (c) => c.text(`User-agent: *\n${closed.join('')}`, 200, A_DAY);
}
