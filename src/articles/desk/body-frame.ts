/** The text of an article as readers see it, as a document of its own that can do nothing. */
import { html, raw } from 'hono/html';
import { textDirection } from '../../lib/locale/direction.ts';
import type { DeskRequest, Html } from '../../web/desk/desk-request.ts';
import { framePolicy } from '../../web/server/headers.ts';
import { fullHeadline } from '../article.ts';

/** What readers see of an article. */
export interface ReadersText {
  headline: string;
  kicker: string | null;
  dek: string | null;
  /** Sanitised. */
  bodyHtml: string;
  language: string;
}

const STYLE = `:root{color-scheme:light dark}body{font:17px/26px Georgia,serif;margin:16px;max-width:640px;
overflow-wrap:anywhere}h1{font-size:26px;line-height:32px;margin:0 0 8px}.dek{font-size:19px;margin:0 0 16px}
img{max-width:100%;height:auto}pre{white-space:pre-wrap}table{border-collapse:collapse}td,th{padding:4px 8px}`;

export function respondText({ c, desk }: DeskRequest, text: ReadersText): Response | Promise<Response> {
  const { language, dek } = text;
  // The body is the output of the sanitiser (articles/sanitise.ts), which writes every tag itself.
  const page = html`<!doctype html>
<html lang="${language}" dir="${textDirection(language)}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${text.headline}</title>
<style>${raw(STYLE)}</style></head>
<body><h1>${fullHeadline(text)}</h1>${dek === null ? '' : html`<p class="dek">${dek}</p>`}
${raw(text.bodyHtml)}</body></html>`;
  return c.html(page, 200, { 'Content-Security-Policy': framePolicy(desk.app.config.publication.url) });
}

/** @param name for the target of a form; a frame without `src` shows what that sends */
export function textFrame({ desk }: DeskRequest, title: string, { src, name }: { src?: string; name?: string }): Html {
  const source = src === undefined ? '' : html` src="${desk.base}${src}"`;
  const target = name === undefined ? '' : html` name="${name}"`;
  return html`<iframe class="frame" sandbox title="${title}"${source}${target}></iframe>`;
}
